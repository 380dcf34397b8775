"""394: inequalities between different variables."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, 2 * 10**5, "n")
    edges = _edges(reader, n, reader.integer(1, 2 * 10**5, "m"))
    reader.end()
    _require_no_loops(reader, edges)


def _edges(reader: Reader, n: int, count: int) -> list[tuple[int, int]]:
    return [(reader.integer(1, n, "a vertex"), reader.integer(1, n, "a vertex")) for _ in range(count)]


def _require_no_loops(reader: Reader, edges: list[tuple[int, int]]) -> None:
    for one, other in edges:
        if one == other:
            reader.refuse(f"edge {one} {other} is a loop")
