"""612: stations at different points."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(3, 100, "n")
    reader.integer(10**3, 10**5, "d")
    reader.integers(n - 2, 1, 10**3, "a")
    points = [(reader.integer(-100, 100, "x"), reader.integer(-100, 100, "y")) for _ in range(n)]
    reader.end()
    if len(set(points)) < len(points):
        reader.refuse("the points are not distinct")
