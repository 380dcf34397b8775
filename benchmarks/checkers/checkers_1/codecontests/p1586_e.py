"""1586_E: YES and simple paths that use each edge an even number of times, or NO and half the nodes of odd degree."""

from itertools import pairwise
from typing import NamedTuple

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 3 * 10**5


class _Case(NamedTuple):
    n: int
    edges: set[tuple[int, int]]
    queries: list[list[int]]


def validate(text: str) -> None:
    case = _case(text)
    if not _is_connected(case.n, case.edges):
        raise Invalid("the graph is not connected")


def check(text: str, output: str, expected: str) -> None:
    case, reader = _case(text), Reader(output)
    # Paths exist exactly if each node ends an even number of queries, and an added query mends two nodes.
    odd: set[int] = set()
    for ends in case.queries:
        odd.symmetric_difference_update(ends)
    answer = reader.word("the first word", ("YES", "NO"), any_case=True)
    if answer != ("no" if odd else "yes"):
        reader.refuse(f"the answer is {answer}, and {len(odd)} nodes end an odd number of queries")
    if odd:
        added = reader.integer(0, 10**18, "the number of added queries")
        if added != len(odd) // 2:
            reader.refuse(f"the number of added queries is {added}, not {len(odd) // 2}")
    else:
        _check_paths(reader, case)
    reader.end()


def _check_paths(reader: Reader, case: _Case) -> None:
    uneven: set[tuple[int, int]] = set()
    for number, (a, b) in enumerate(case.queries, 1):
        path = reader.integers(reader.integer(2, case.n, f"x of query {number}"), 1, case.n, f"a node of path {number}")
        if (path[0], path[-1]) != (a, b):
            reader.refuse(f"path {number} leads from {path[0]} to {path[-1]}, not from {a} to {b}")
        if len(set(path)) < len(path):
            reader.refuse(f"path {number} visits a node twice")
        steps = {(min(step), max(step)) for step in pairwise(path)}
        if not steps <= case.edges:
            reader.refuse(f"path {number} has a step that is no edge")
        uneven ^= steps
    if uneven:
        u, v = min(uneven)
        reader.refuse(f"the weight of edge {u} {v} is odd")


def _case(text: str) -> _Case:
    reader = Reader(text, Invalid)
    n = reader.integer(2, _MOST, "n")
    edges: set[tuple[int, int]] = set()
    for _ in range(reader.integer(n - 1, min(n * (n - 1) // 2, _MOST), "m")):
        x, y = reader.integer(1, n, "x"), reader.integer(1, n, "y")
        if x == y:
            reader.refuse(f"edge {x} {y} is a loop")
        edge = (min(x, y), max(x, y))
        if edge in edges:
            reader.refuse(f"edge {x} {y} stands twice")
        edges.add(edge)
    q = reader.integer(1, _MOST, "q")
    if n * q > _MOST:
        reader.refuse(f"n * q is {n * q}, over {_MOST}")
    queries = [reader.integers(2, 1, n, "a node of a query") for _ in range(q)]
    if any(a == b for a, b in queries):
        reader.refuse("the two nodes of a query are equal")
    reader.end()
    return _Case(n, edges, queries)


def _is_connected(n: int, edges: set[tuple[int, int]]) -> bool:
    beside: list[list[int]] = [[] for _ in range(n + 1)]
    for x, y in edges:
        beside[x].append(y)
        beside[y].append(x)
    reached, waiting = {1}, [1]
    while waiting:
        fresh = set(beside[waiting.pop()]) - reached
        reached |= fresh
        waiting += fresh
    return len(reached) == n
