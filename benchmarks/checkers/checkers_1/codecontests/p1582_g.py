"""1582_G: the number of segments whose path of calculations holds integers only."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, 10**6, "n")
    reader.integers(n, 1, 10**6, "a number of a")
    reader.string("*/", n, n, "b")
    reader.end()
