"""702 by doing all pairs of operations on trees of two to five vertices."""

from collections import deque
from itertools import combinations, product

Case = tuple[str, str, dict[str, bool]]
Edges = list[tuple[int, int]]


def cases() -> list[Case]:
    found = [_one(2, [(1, 2)]), _one(3, [(2, 1), (3, 1)]), _one(4, [(1, 2), (1, 3), (4, 1)])]
    return [*found, _one(4, [(1, 2), (2, 3), (3, 4)]), _two()]


def _one(n: int, tree: Edges) -> Case:
    outputs = {"0": _bamboo(n, tree)}
    vertices = range(1, n + 1)
    for ends in product(vertices, vertices, vertices, vertices):
        right = not outputs["0"] and ends[2] != ends[3] and _after(n, tree, [ends])
        outputs[f"1\n{' '.join(map(str, ends))}"] = right
    return _text(n, tree), next(output for output, right in outputs.items() if right), outputs


def _two() -> Case:
    star = [(1, 2), (1, 3), (1, 4), (1, 5)]
    outputs: dict[str, bool] = {}
    for first, second in product([(1, 2), (1, 3), (5, 1)], [(1, 2), (4, 1), (2, 3)]):
        for added, last in product(combinations(range(1, 6), 2), repeat=2):
            operations = [(*first, *added), (*second, *last)]
            lines = [" ".join(map(str, operation)) for operation in operations]
            outputs["\n".join(["2", *lines])] = _after(5, star, operations)
    return _text(5, star), next(output for output, right in outputs.items() if right), outputs


def _after(n: int, tree: Edges, operations: list[tuple[int, int, int, int]]) -> bool:
    edges = [set(edge) for edge in tree]
    for removed_one, removed_other, one, other in operations:
        if {removed_one, removed_other} not in edges:
            return False
        edges.remove({removed_one, removed_other})
        edges.append({one, other})
    return _bamboo(n, [(min(edge), max(edge)) for edge in edges])


def _bamboo(n: int, edges: Edges) -> bool:
    reached, waiting = {1}, deque([1])
    while waiting:
        vertex = waiting.popleft()
        for edge in edges:
            if vertex in edge and not set(edge) <= reached:
                waiting.append(sum(edge) - vertex)
                reached |= set(edge)
    return len(reached) == n and all(sum(vertex in edge for edge in edges) <= 2 for vertex in range(1, n + 1))


def _text(n: int, tree: Edges) -> str:
    return "\n".join(["1", str(n), *(f"{one} {other}" for one, other in tree)])
