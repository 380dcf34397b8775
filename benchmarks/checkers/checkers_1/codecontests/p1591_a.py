"""1591_A: the height of the flower, or -1 if it dies; one right answer."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 100, "t")):
        reader.integers(reader.integer(1, 100, "n"), 0, 1, "a")
    reader.end()
