"""1575_F: an expected value modulo 10^9 + 7."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, 10**5, "n")
    k = reader.integer(2, 10**9, "k")
    reader.integers(n, -1, k - 1, "a_i")
    reader.end()
