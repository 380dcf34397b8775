"""1575_D: a number of integers."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.string("0123456789_X", 1, 8, "s")
    reader.end()
