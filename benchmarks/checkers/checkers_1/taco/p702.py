"""702: the fewest swaps of edges that make a tree a bamboo, each of which removes an edge that is there."""

from collections import Counter

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_IN_ALL = 2 * 10**5

Edges = list[tuple[int, int]]


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    vertices = 0
    for _ in range(reader.integer(1, 10_000, "t")):
        n, edges = _tree(reader)
        vertices += n
        if vertices > _MOST_IN_ALL:
            reader.refuse("the sum of n over all test cases is over 200000")
        if any(one == other for one, other in edges):
            reader.refuse("an edge joins a vertex to itself")
        if len(_order(n, edges)[0]) < n:
            reader.refuse("the graph is no tree")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, 10_000, "t") + 1):
        n, edges = _tree(given)
        least = _least(n, edges)
        count = reader.integer(0, n - 1, f"k of case {case}")
        if count != least:
            reader.refuse(f"case {case}: the number of operations is {count}, the least is {least}")
        present = Counter((min(edge), max(edge)) for edge in edges)
        for number in range(1, count + 1):
            removed = _edge(reader, n, f"operation {number} of case {case}")
            if not present[removed]:
                reader.refuse(f"case {case}: operation {number} removes {removed[0]} {removed[1]}, which is no edge")
            present[removed] -= 1
            present[_edge(reader, n, f"operation {number} of case {case}")] += 1
        left = list(present.elements())
        if max(Counter(vertex for edge in left for vertex in edge).values()) > 2:
            reader.refuse(f"case {case}: a vertex of the result has over two edges")
        if len(_order(n, left)[0]) < n:
            reader.refuse(f"case {case}: the result is not connected")
    reader.end()


def _tree(reader: Reader) -> tuple[int, Edges]:
    n = reader.integer(2, 10**5, "n")
    return n, [(reader.integer(1, n, "a"), reader.integer(1, n, "b")) for _ in range(n - 1)]


def _edge(reader: Reader, n: int, name: str) -> tuple[int, int]:
    """Return the ends of an edge, the lesser first."""
    one = reader.integer(1, n, f"an end in {name}")
    other = reader.integer(1, n, f"an end in {name}")
    if one == other:
        reader.refuse(f"{name} has an edge from {one} to itself")
    return min(one, other), max(one, other)


def _order(n: int, edges: Edges) -> tuple[list[int], list[int]]:
    """Return the vertices that 1 reaches, each after its parent, and the parents."""
    neighbours: list[list[int]] = [[] for _ in range(n + 1)]
    for one, other in edges:
        neighbours[one].append(other)
        neighbours[other].append(one)
    parents = [0] * (n + 1)
    parents[1] = 1
    order = [1]
    for vertex in order:
        for other in neighbours[vertex]:
            if not parents[other]:
                parents[other] = vertex
                order.append(other)
    return order, parents


def _least(n: int, edges: Edges) -> int:
    """Return the fewest edges to remove until no vertex has over two, cutting from below."""
    order, parents = _order(n, edges)
    children = [0] * (n + 1)
    cuts = 0
    for vertex in reversed(order[1:]):
        if children[vertex] < 2:
            children[parents[vertex]] += 1
        else:
            cuts += children[vertex] - 1
    return cuts + max(0, children[1] - 2)
