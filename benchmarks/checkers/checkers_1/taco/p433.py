"""433: different points."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 2000, "n")
    points = [(reader.integer(-100, 100, "x"), reader.integer(-100, 100, "y")) for _ in range(n)]
    reader.end()
    if len(set(points)) < len(points):
        reader.refuse("the points are not distinct")
