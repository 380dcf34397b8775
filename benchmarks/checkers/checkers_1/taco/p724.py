"""724: different one-way roads that join all intersections both ways, and a path along them."""

from itertools import pairwise

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, 2 * 10**5, "n")
    roads = _edges(reader, n, reader.integer(n, 2 * 10**5, "m"))
    path = reader.integers(reader.integer(2, n, "k"), 1, n, "p")
    reader.end()
    _require_no_loops(reader, roads)
    if len(set(roads)) < len(roads):
        reader.refuse("the roads are not distinct")
    if len(set(path)) < len(path):
        reader.refuse("the intersections of the path are not distinct")
    if not set(pairwise(path)) <= set(roads):
        reader.refuse("the path leaves the roads")
    if min(_reached(n, roads), _reached(n, [(end, start) for start, end in roads])) < n:
        reader.refuse("some intersection cannot be reached from some other")


def _reached(n: int, roads: list[tuple[int, int]]) -> int:
    """Return how many intersections can be reached from 1."""
    ends: list[list[int]] = [[] for _ in range(n + 1)]
    for start, end in roads:
        ends[start].append(end)
    reached = {1}
    waiting = [1]
    while waiting:
        fresh = [end for end in ends[waiting.pop()] if end not in reached]
        reached.update(fresh)
        waiting += fresh
    return len(reached)


def _edges(reader: Reader, n: int, count: int) -> list[tuple[int, int]]:
    return [(reader.integer(1, n, "a vertex"), reader.integer(1, n, "a vertex")) for _ in range(count)]


def _require_no_loops(reader: Reader, edges: list[tuple[int, int]]) -> None:
    for one, other in edges:
        if one == other:
            reader.refuse(f"edge {one} {other} is a loop")
