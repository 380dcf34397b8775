"""832: two disjoint vertex covers, so each edge has one end in each; -1 only if the graph has an odd cycle."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 100_000

Edges = list[tuple[int, int]]


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    _n, edges = _graph(reader)
    reader.end()
    seen: set[tuple[int, int]] = set()
    for one, other in edges:
        if one == other:
            reader.refuse(f"edge {one} {other} is a loop")
        if (min(one, other), max(one, other)) in seen:
            reader.refuse(f"edge {one} {other} stands twice")
        seen.add((min(one, other), max(one, other)))


def check(text: str, output: str, expected: str) -> None:
    n, edges = _graph(Reader(text, Invalid))
    reader = Reader(output)
    if Reader(output).word("the answer") == "-1":
        reader.word()
        reader.end()
        if _bipartite(n, edges):
            reader.refuse("there are such covers, the output says -1")
        return
    owners = [0] * (n + 1)
    for owner in (1, 2):
        for vertex in reader.integers(reader.integer(1, n, f"k of cover {owner}"), 1, n, f"a vertex of cover {owner}"):
            if owners[vertex]:
                reader.refuse(f"vertex {vertex} stands twice")
            owners[vertex] = owner
    reader.end()
    for one, other in edges:
        if {owners[one], owners[other]} != {1, 2}:
            reader.refuse(f"edge {one} {other} has no end in one of the covers")


def _graph(reader: Reader) -> tuple[int, Edges]:
    n = reader.integer(2, _MOST, "n")
    m = reader.integer(1, _MOST, "m")
    return n, [(reader.integer(1, n, "u"), reader.integer(1, n, "v")) for _ in range(m)]


def _bipartite(n: int, edges: Edges) -> bool:
    neighbours: list[list[int]] = [[] for _ in range(n + 1)]
    for one, other in edges:
        neighbours[one].append(other)
        neighbours[other].append(one)
    sides = [0] * (n + 1)
    for start in range(1, n + 1):
        if sides[start]:
            continue
        sides[start] = 1
        waiting = [start]
        while waiting:
            vertex = waiting.pop()
            for other in neighbours[vertex]:
                if not sides[other]:
                    sides[other] = -sides[vertex]
                    waiting.append(other)
    return all(sides[one] != sides[other] for one, other in edges)
