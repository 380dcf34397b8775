"""557: a graph without loops and double edges, in which no path joins two governments."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 1000, "n")
    m = reader.integer(0, 100_000, "m")
    homes = reader.integers(reader.integer(1, n, "k"), 1, n, "c")
    edges = _edges(reader, n, m)
    reader.end()
    if len(set(homes)) < len(homes):
        reader.refuse("the homes of the governments are not distinct")
    _require_simple(reader, edges)
    neighbours: list[list[int]] = [[] for _ in range(n + 1)]
    for one, other in edges:
        neighbours[one].append(other)
        neighbours[other].append(one)
    owners = [0] * (n + 1)
    for home in homes:
        if owners[home]:
            reader.refuse(f"a path joins the governments at {owners[home]} and {home}")
        owners[home] = home
        waiting = [home]
        while waiting:
            for vertex in neighbours[waiting.pop()]:
                if not owners[vertex]:
                    owners[vertex] = home
                    waiting.append(vertex)


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
