"""346: a grid of black and white cells."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 1000, "n")
    m = reader.integer(1, 1000, "m")
    for _ in range(n):
        reader.string("#.", m, m, "a row")
    reader.end()
