"""644: a connected graph."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 10**5, "n")
    edges = _edges(reader, n, reader.integer(1, 10**5, "m"))
    reader.end()
    _require_connected(reader, n, edges)


def _edges(reader: Reader, n: int, count: int) -> list[tuple[int, int]]:
    return [(reader.integer(1, n, "a vertex"), reader.integer(1, n, "a vertex")) for _ in range(count)]


def _require_connected(reader: Reader, n: int, edges: list[tuple[int, int]]) -> None:
    """Refuse edges that do not join all n vertices."""
    leaders = list(range(n + 1))
    parts = n
    for first, second in edges:
        while leaders[first] != first:
            leaders[first] = first = leaders[leaders[first]]
        while leaders[second] != second:
            leaders[second] = second = leaders[leaders[second]]
        parts -= first != second
        leaders[first] = second
    if parts > 1:
        reader.refuse(f"the graph is not connected: it has {parts} parts")
