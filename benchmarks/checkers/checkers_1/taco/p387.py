"""387: different cells of a table."""

from collections.abc import Sequence

from turnwise.benchmarks.checkers.library import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 200_000, "n")
    m = reader.integer(1, 200_000, "m")
    q = reader.integer(0, min(n * m, 200_000), "q")
    cells = [(reader.integer(1, n, "r"), reader.integer(1, m, "c")) for _ in range(q)]
    reader.end()
    _require_distinct(reader, cells, "the elements")


def _require_distinct(reader: Reader, values: Sequence[object], name: str) -> None:
    if len(set(values)) < len(values):
        reader.refuse(f"{name} are not distinct")
