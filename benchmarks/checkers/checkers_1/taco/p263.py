"""263: two distances, and the places of two friends at each moment."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    moments = reader.integer(2, 100_000, "N")
    below = reader.integer(1, 999, "d1")
    reader.integer(below + 1, 999, "d2")
    reader.integers(4 * moments, 0, 1000, "a coordinate")
    reader.end()
