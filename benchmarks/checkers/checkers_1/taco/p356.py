"""356: roads and train routes that join every city with the capital."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, 10**5, "n")
    m = reader.integer(1, 3 * 10**5, "m")
    k = reader.integer(1, 10**5, "k")
    ways = []
    for _ in range(m):
        ways.append((reader.integer(1, n, "u"), reader.integer(1, n, "v")))
        reader.integer(1, 10**9, "x")
    _require_no_loops(reader, ways)
    for _ in range(k):
        ways.append((1, reader.integer(2, n, "s")))
        reader.integer(1, 10**9, "y")
    reader.end()
    _require_connected(reader, n, ways)


def _require_no_loops(reader: Reader, edges: list[tuple[int, int]]) -> None:
    for one, other in edges:
        if one == other:
            reader.refuse(f"edge {one} {other} is a loop")


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
