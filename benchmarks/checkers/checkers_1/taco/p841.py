"""841: a set of integers of n bits."""

from collections.abc import Sequence

from turnwise.benchmarks.checkers.library import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(0, 22, "n")
    m = reader.integer(1, 2**n, "m")
    numbers = reader.integers(m, 0, 2**n - 1, "a")
    reader.end()
    _require_distinct(reader, numbers, "the elements")


def _require_distinct(reader: Reader, values: Sequence[object], name: str) -> None:
    if len(set(values)) < len(values):
        reader.refuse(f"{name} are not distinct")
