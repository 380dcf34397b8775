"""289 by trying all lists of vertices of graphs of three and four vertices."""

from itertools import combinations, product

Case = tuple[str, str, dict[str, bool]]
Edges = tuple[tuple[int, int], ...]


def cases() -> list[Case]:
    pairs = [(1, 2), (1, 3), (2, 3)]
    graphs = [edges for count in (1, 2, 3) for edges in combinations(pairs, count)][1::2]
    found = [_case(3, edges, k, 3) for edges in graphs for k in (1, 2, 3)]
    square = ((1, 2), (2, 3), (3, 4), (4, 1))
    return [*found, _case(4, square, 2, 4), _case(4, square, 3, 3), _case(4, (*square, (1, 3)), 3, 3)]


def _case(n: int, edges: Edges, k: int, longest: int) -> Case:
    outputs: dict[str, bool] = {}
    for size in range(1, longest + 1):
        for chosen in product(range(1, n + 1), repeat=size):
            near = [sum({one, other} in [set(edge) for edge in edges] for other in chosen) for one in chosen]
            fresh = len(set(chosen)) == size
            shown = " ".join(map(str, chosen))
            outputs[f"1 {size}\n{shown}"] = fresh and min(near) >= k
            outputs[f"2\n{shown}"] = fresh and size == k and all(count == k - 1 for count in near)
    expected = next((output for output, right in outputs.items() if right), "-1")
    outputs["-1"] = expected == "-1"
    lines = "".join(f"{one} {other}\n" for one, other in edges)
    return f"1\n{n} {len(edges)} {k}\n{lines}", expected, outputs
