"""716: an array of non-negative integers."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 3 * 10**5, "n")
    reader.integers(n, 0, 10**9, "a")
    reader.end()
