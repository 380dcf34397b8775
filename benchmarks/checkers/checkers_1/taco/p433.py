"""433: different points."""

from collections.abc import Sequence

from turnwise.benchmarks.checkers.library import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 2000, "n")
    points = [(reader.integer(-100, 100, "x"), reader.integer(-100, 100, "y")) for _ in range(n)]
    reader.end()
    _require_distinct(reader, points, "the points")


def _require_distinct(reader: Reader, values: Sequence[object], name: str) -> None:
    if len(set(values)) < len(values):
        reader.refuse(f"{name} are not distinct")
