"""863: operations on strings of the first six letters, no two on the same two letters."""

from collections.abc import Sequence

from turnwise.benchmarks.checkers.library import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integer(2, 6, "n")
    taken = []
    for _ in range(reader.integer(1, 36, "q")):
        taken.append(reader.string("abcdef", 2, 2, "a"))
        reader.string("abcdef", 1, 1, "b")
    reader.end()
    _require_distinct(reader, taken, "the strings a")


def _require_distinct(reader: Reader, values: Sequence[object], name: str) -> None:
    if len(set(values)) < len(values):
        reader.refuse(f"{name} are not distinct")
