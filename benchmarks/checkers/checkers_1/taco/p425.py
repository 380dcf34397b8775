"""425: segments whose ends are all different."""

from collections.abc import Sequence

from turnwise.benchmarks.checkers.library import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 5 * 10**5, "n")
    ends = []
    for _ in range(n):
        ends.append(reader.integer(1, 2 * n, "l"))
        ends.append(reader.integer(ends[-1] + 1, 2 * n, "r"))
    reader.end()
    _require_distinct(reader, ends, "the ends")


def _require_distinct(reader: Reader, values: Sequence[object], name: str) -> None:
    if len(set(values)) < len(values):
        reader.refuse(f"{name} are not distinct")
