"""1586_B: the edges of a tree in which no b lies on the path from its a to its c."""

from bisect import bisect_right
from collections.abc import Iterator

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_NODES = 10**5


def validate(text: str) -> None:
    for _ in _cases(text):
        pass


def check(text: str, output: str, expected: str) -> None:
    reader = Reader(output)
    for case, (n, restrictions) in enumerate(_cases(text), 1):
        tree = _Tree(reader, n, case)
        for a, b, c in restrictions:
            if tree.branch(b, a) != tree.branch(b, c):
                reader.refuse(f"case {case}: node {b} lies on the path from {a} to {c}")
    reader.end()


def _cases(text: str) -> Iterator[tuple[int, list[list[int]]]]:
    reader = Reader(text, Invalid)
    nodes = 0
    for _ in range(reader.integer(1, 10**4, "t")):
        n = reader.integer(3, _NODES, "n")
        nodes += n
        if nodes > _NODES:
            reader.refuse(f"the sum of n over all test cases is over {_NODES}")
        restrictions = [
            reader.integers(3, 1, n, "a node of a restriction") for _ in range(reader.integer(1, n - 1, "m"))
        ]
        if any(len(set(restriction)) < 3 for restriction in restrictions):
            reader.refuse("a, b and c of a restriction are not distinct")
        yield n, restrictions
    reader.end()


class _Tree:
    """A tree that hangs from node 1, its nodes numbered in the order of a walk that enters a whole branch at a time."""

    def __init__(self, reader: Reader, n: int, case: int) -> None:
        beside: list[list[int]] = [[] for _ in range(n + 1)]
        for _ in range(n - 1):
            u, v = reader.integers(2, 1, n, f"a node of an edge in case {case}")
            if u == v:
                reader.refuse(f"case {case}: an edge joins node {u} to itself")
            beside[u].append(v)
            beside[v].append(u)
        self._number = [-1] * (n + 1)
        self._branches: list[list[int]] = [[] for _ in range(n + 1)]
        above = [0] * (n + 1)
        order: list[int] = []
        waiting = [(1, 0)]
        while waiting:
            node, parent = waiting.pop()
            if self._number[node] >= 0:
                reader.refuse(f"case {case}: the edges close a cycle at node {node}")
            self._number[node] = len(order)
            self._branches[parent].append(len(order))
            above[node] = parent
            order.append(node)
            if parent:
                beside[node].remove(parent)
            waiting += [(other, node) for other in beside[node]]
        if len(order) < n:
            reader.refuse(f"case {case}: the edges do not connect all nodes")
        self._last = list(self._number)
        for node in reversed(order):
            self._last[above[node]] = max(self._last[above[node]], self._last[node])

    def branch(self, removed: int, node: int) -> int:
        """Return which part the other node ``node`` falls into when ``removed`` is taken away: 0 or a branch."""
        if not self._number[removed] < self._number[node] <= self._last[removed]:
            return 0
        return bisect_right(self._branches[removed], self._number[node])
