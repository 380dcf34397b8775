"""612: stations at different points."""

from collections.abc import Sequence

from turnwise.benchmarks.checkers.library import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(3, 100, "n")
    reader.integer(10**3, 10**5, "d")
    reader.integers(n - 2, 1, 10**3, "a")
    points = [(reader.integer(-100, 100, "x"), reader.integer(-100, 100, "y")) for _ in range(n)]
    reader.end()
    _require_distinct(reader, points, "the points")


def _require_distinct(reader: Reader, values: Sequence[object], name: str) -> None:
    if len(set(values)) < len(values):
        reader.refuse(f"{name} are not distinct")
