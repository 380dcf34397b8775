"""993: forbidden pairs of vertices, each pair once, and a degree."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**6  # The statement shows the bounds of n, m and k in a picture only.


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, _MOST, "n")
    m = reader.integer(0, _MOST, "m")
    reader.integer(0, _MOST, "k")
    edges = _edges(reader, n, m)
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
