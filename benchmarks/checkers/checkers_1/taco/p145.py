"""145: the number of knights."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integer(1, 10000, "n")
    reader.end()
