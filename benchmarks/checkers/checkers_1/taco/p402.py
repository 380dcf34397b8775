"""402: a tree with cats on some vertices, and how many of them in a row are bearable."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, 10**5, "n")
    reader.integer(1, n, "m")
    reader.integers(n, 0, 1, "a")
    edges = _edges(reader, n, n - 1)
    reader.end()
    _require_tree(reader, n, edges)


def _edges(reader: Reader, n: int, count: int) -> list[tuple[int, int]]:
    return [(reader.integer(1, n, "a vertex"), reader.integer(1, n, "a vertex")) for _ in range(count)]


def _require_tree(reader: Reader, n: int, edges: list[tuple[int, int]]) -> None:
    """Refuse n - 1 edges that do not join all n vertices."""
    leaders = list(range(n + 1))
    for one, other in edges:
        first, second = one, other
        while leaders[first] != first:
            leaders[first] = first = leaders[leaders[first]]
        while leaders[second] != second:
            leaders[second] = second = leaders[leaders[second]]
        if first == second:
            reader.refuse(f"the graph is no tree: edge {one} {other} closes a cycle")
        leaders[first] = second
