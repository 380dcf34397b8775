"""424: at most three different circles."""

from collections.abc import Sequence

from turnwise.benchmarks.checkers.library import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    circles = []
    for _ in range(reader.integer(1, 3, "n")):
        x, y = reader.integer(-10, 10, "x"), reader.integer(-10, 10, "y")
        circles.append((x, y, reader.integer(1, 10, "r")))
    reader.end()
    _require_distinct(reader, circles, "the circles")


def _require_distinct(reader: Reader, values: Sequence[object], name: str) -> None:
    if len(set(values)) < len(values):
        reader.refuse(f"{name} are not distinct")
