"""842: a tree with amounts at its vertices and lengths of its edges."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 3 * 10**5, "n")
    reader.integers(n, 0, 10**9, "w")
    edges = []
    for _ in range(n - 1):
        edges.append((reader.integer(1, n, "u"), reader.integer(1, n, "v")))
        reader.integer(1, 10**9, "c")
    reader.end()
    _require_tree(reader, n, edges)


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
