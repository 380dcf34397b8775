"""286: a binary string and a number of ones."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, 5000, "n")
    reader.integer(0, n, "k")
    reader.string("01", n, n, "s")
    reader.end()
