"""537: a graph without loops and double edges."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 100, "n")
    edges = _edges(reader, n, reader.integer(0, n * (n - 1) // 2, "m"))
    reader.end()
    _require_simple(reader, edges)


def _edges(reader: Reader, n: int, count: int) -> list[tuple[int, int]]:
    return [(reader.integer(1, n, "a vertex"), reader.integer(1, n, "a vertex")) for _ in range(count)]


def _require_simple(reader: Reader, edges: list[tuple[int, int]]) -> None:
    """Refuse loops and double edges."""
    seen: set[tuple[int, int]] = set()
    for one, other in edges:
        if one == other:
            reader.refuse(f"edge {one} {other} is a loop")
        if (min(one, other), max(one, other)) in seen:
            reader.refuse(f"edge {one} {other} stands twice")
        seen.add((min(one, other), max(one, other)))
