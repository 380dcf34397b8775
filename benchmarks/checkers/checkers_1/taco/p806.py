"""806: snow drifts at different points."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 100, "n")
    points = [(reader.integer(1, 1000, "x"), reader.integer(1, 1000, "y")) for _ in range(n)]
    reader.end()
    if len(set(points)) < len(points):
        reader.refuse("the snow drifts are not distinct")
