"""1580_D: the greatest value of a subsequence of length m."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 4000, "n")
    reader.integer(1, n, "m")
    if len(set(reader.integers(n, 1, 2**31 - 1, "a number of a"))) < n:
        reader.refuse("two numbers of a are equal")
    reader.end()
