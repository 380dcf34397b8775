"""1586_B by listing all simple paths of every graph of three or four nodes."""

from itertools import combinations, combinations_with_replacement, pairwise, permutations, product

_Pair = tuple[int, int]
_Triple = tuple[int, int, int]

_INPUTS: list[tuple[int, list[_Triple]]] = [
    (3, [(1, 2, 3)]),
    (3, [(2, 1, 3), (3, 2, 1)]),
    (4, [(1, 2, 3)]),
    (4, [(1, 2, 3), (1, 3, 4), (3, 4, 2)]),
]


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    alone = []
    for n, triples in _INPUTS:
        outputs = _outputs(n, triples)
        alone.append((f"1\n{_text(n, triples)}", next(text for text, right in outputs.items() if right), outputs))
    return [*alone, _two()]


def _two() -> tuple[str, str, dict[str, bool]]:
    (n, first), (_, second) = _INPUTS[:2]
    halves, others = _outputs(n, first), _outputs(n, second)
    pairs = [(a, b) for a, b in product(halves, others) if len(a) == len(b) == 8]
    outputs = {a + b: halves[a] and others[b] for a, b in pairs}
    return f"2\n{_text(n, first)}{_text(n, second)}", next(text for text, right in outputs.items() if right), outputs


def _text(n: int, triples: list[_Triple]) -> str:
    return f"{n} {len(triples)}\n" + "".join(f"{a} {b} {c}\n" for a, b, c in triples)


def _outputs(n: int, triples: list[_Triple]) -> dict[str, bool]:
    pairs: list[_Pair] = [(v, u) for u, v in combinations_with_replacement(range(1, n + 1), 2)]
    if n == 3:
        graphs = [graph for count in (1, 2, 3) for graph in product(pairs, repeat=count)]
    else:
        graphs = list(combinations_with_replacement(pairs, 3))
    return {"".join(f"{u} {v}\n" for u, v in graph): _is_right(n, triples, graph) for graph in graphs}


def _is_right(n: int, triples: list[_Triple], graph: tuple[_Pair, ...]) -> bool:
    if len(graph) != n - 1 or any(u == v for u, v in graph):
        return False
    if any(len(_paths(n, graph, u, v)) != 1 for u, v in combinations(range(1, n + 1), 2)):
        return False
    return all(b not in _paths(n, graph, a, c)[0] for a, b, c in triples)


def _paths(n: int, graph: tuple[_Pair, ...], start: int, end: int) -> list[tuple[int, ...]]:
    paths = [path for size in range(2, n + 1) for path in permutations(range(1, n + 1), size)]
    joined = {*graph, *((v, u) for u, v in graph)}
    return [path for path in paths if (path[0], path[-1]) == (start, end) and set(pairwise(path)) <= joined]
