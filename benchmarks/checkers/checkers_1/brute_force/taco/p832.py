"""832 by trying all pairs of sets of vertices."""

from itertools import combinations, product

Case = tuple[str, str, dict[str, bool]]
Edges = list[tuple[int, int]]


def cases() -> list[Case]:
    graphs = [list(edges) for count in (1, 2, 3) for edges in combinations([(2, 1), (1, 3), (2, 3)], count)]
    found = [_case(3, edges) for edges in graphs]
    return [*found, _case(4, [(1, 2), (2, 3), (3, 4), (4, 1)]), _case(4, [(1, 2), (2, 3), (3, 1)]), _case(2, [(1, 2)])]


def _case(n: int, edges: Edges) -> Case:
    sets = [chosen for size in range(n + 1) for chosen in combinations(range(1, n + 1), size)]
    outputs: dict[str, bool] = {}
    for first, second in product(sets, repeat=2):
        both = [any(end in cover for end in edge) for edge in edges for cover in (first, second)]
        right = all(both) and not set(first) & set(second)
        outputs[f"{_shown(first)}\n{_shown(second[::-1])}"] = right
    expected = next((output for output, right in outputs.items() if right), "-1")
    outputs["-1"] = expected == "-1"
    outputs["2\n1 1\n1\n2"] = False
    text = "\n".join([f"{n} {len(edges)}", *(f"{one} {other}" for one, other in edges)])
    return text, expected, outputs


def _shown(cover: tuple[int, ...]) -> str:
    return f"{len(cover)}\n{' '.join(map(str, cover))}"
