"""1620_A: YES or NO, whether each string is consistent."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 1000, "t")):
        reader.string("EN", 2, 50, "s")
    reader.end()
