"""460: weights of some edges of a complete graph, but not of all."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, 2 * 10**5, "n")
    edges = []
    for _ in range(reader.integer(0, min(2 * 10**5, n * (n - 1) // 2 - 1), "m")):
        edges.append((reader.integer(1, n, "u"), reader.integer(1, n, "v")))
        reader.integer(1, 2**30 - 1, "w")
    reader.end()
    _require_simple(reader, edges)


def _require_simple(reader: Reader, edges: list[tuple[int, int]]) -> None:
    """Refuse loops and double edges."""
    seen: set[tuple[int, int]] = set()
    for one, other in edges:
        if one == other:
            reader.refuse(f"edge {one} {other} is a loop")
        if (min(one, other), max(one, other)) in seen:
            reader.refuse(f"edge {one} {other} stands twice")
        seen.add((min(one, other), max(one, other)))
