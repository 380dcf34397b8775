"""36: weights at most 2 n^2 from zero on the edges of a connected graph, whose sums at the vertices are as asked."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**5

Edges = list[tuple[int, int]]


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    sums, edges = _graph(reader)
    reader.end()
    seen: set[tuple[int, int]] = set()
    degrees = [0] * len(sums)
    for one, other in edges:
        if one == other:
            reader.refuse(f"edge {one} {other} is a loop")
        if (min(one, other), max(one, other)) in seen:
            reader.refuse(f"edge {one} {other} stands twice")
        seen.add((min(one, other), max(one, other)))
        degrees[one] += 1
        degrees[other] += 1
    for vertex in range(1, len(sums)):
        if (degrees[vertex] - sums[vertex]) % 2:
            reader.refuse(f"the parity of c{vertex} is not that of the degree of vertex {vertex}")
    if 0 in _sides(len(sums) - 1, edges)[0][1:]:
        reader.refuse("the graph is not connected")


def check(text: str, output: str, expected: str) -> None:
    sums, edges = _graph(Reader(text, Invalid))
    reader = Reader(output)
    if reader.word("the answer", ("YES", "NO"), any_case=True) == "no":
        reader.end()
        sides, bipartite = _sides(len(sums) - 1, edges)
        if not bipartite or sum(side * asked for side, asked in zip(sides, sums, strict=True)) == 0:
            reader.refuse("there are such weights, the output says NO")
        return
    most = 2 * (len(sums) - 1) ** 2
    got = [0] * len(sums)
    for number, (one, other) in enumerate(edges, 1):
        weight = reader.integer(-most, most, f"weight {number}")
        got[one] += weight
        got[other] += weight
    reader.end()
    for vertex in range(1, len(sums)):
        if got[vertex] != sums[vertex]:
            reader.refuse(f"the weights at vertex {vertex} add up to {got[vertex]}, not {sums[vertex]}")


def _graph(reader: Reader) -> tuple[list[int], Edges]:
    """Return the sums asked for, from place 1, and the edges."""
    n = reader.integer(2, _MOST, "n")
    m = reader.integer(n - 1, _MOST, "m")
    sums = [0, *reader.integers(n, -n, n, "c")]
    return sums, [(reader.integer(1, n, "a"), reader.integer(1, n, "b")) for _ in range(m)]


def _sides(n: int, edges: Edges) -> tuple[list[int], bool]:
    """Return 1 or -1 for each vertex that vertex 1 reaches, 0 for the others, and whether no edge joins equal sides."""
    neighbours: list[list[int]] = [[] for _ in range(n + 1)]
    for one, other in edges:
        neighbours[one].append(other)
        neighbours[other].append(one)
    sides = [0] * (n + 1)
    sides[1] = 1
    waiting = [1]
    while waiting:
        vertex = waiting.pop()
        for other in neighbours[vertex]:
            if not sides[other]:
                sides[other] = -sides[vertex]
                waiting.append(other)
    return sides, all(sides[one] != sides[other] for one, other in edges)
