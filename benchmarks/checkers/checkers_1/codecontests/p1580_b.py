"""1580_B: the number of permutations of length n with k good numbers, modulo p."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 100, "n")
    reader.integer(1, n, "m")
    reader.integer(1, n, "k")
    reader.integer(1, 10**9, "p")
    reader.end()
