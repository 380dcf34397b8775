"""1586_E by walking every choice of simple paths, and every choice of added queries."""

from itertools import combinations, combinations_with_replacement, count, pairwise, permutations, product

_Pair = tuple[int, int]

_TRIANGLE = [(1, 2), (3, 2), (1, 3)]
_LINE = [(2, 1), (2, 3)]
_SQUARE = [(1, 2), (2, 3), (4, 3), (4, 1)]
_FULL = [(1, 2), (2, 3), (4, 3), (4, 1), (1, 3), (2, 4)]
_INPUTS: list[tuple[int, list[_Pair], list[_Pair]]] = [
    (3, _TRIANGLE, [(1, 2), (1, 2)]),
    (3, _TRIANGLE, [(1, 2), (2, 3), (1, 3)]),
    (3, _LINE, [(1, 3), (3, 1)]),
    (3, _LINE, [(1, 3), (2, 1)]),
    (3, _TRIANGLE, [(3, 1)]),
    (4, _SQUARE, [(1, 3), (2, 4)]),
    (4, _SQUARE, [(1, 3), (3, 2), (2, 1)]),
    (4, _SQUARE, [(1, 3), (3, 1)]),
    (4, _FULL, [(4, 2), (2, 4)]),
    (4, _FULL, [(1, 3), (4, 3), (4, 1)]),
]


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    found = []
    for n, edges, queries in _INPUTS:
        outputs = _outputs(n, edges, queries)
        found.append((_text(n, edges, queries), next(text for text, right in outputs.items() if right), outputs))
    return found


def _text(n: int, edges: list[_Pair], queries: list[_Pair]) -> str:
    lines = [(n, len(edges)), *edges, (len(queries),), *queries]
    return "".join(" ".join(map(str, line)) + "\n" for line in lines)


def _outputs(n: int, edges: list[_Pair], queries: list[_Pair]) -> dict[str, bool]:
    missing = next(extra for extra in count() if _can_add(n, edges, queries, extra))
    outputs = {f"NO\n{extra}\n": extra == missing > 0 for extra in range(4)} | {"YES\n": False, "NO\n": False}
    outputs |= {f"YES\n{extra}\n": False for extra in range(4)} | {f"NO\n{missing} {missing}\n": False}
    if n == 3 and len(queries) == 2:
        walks = [walk for size in (1, 2, 3) for walk in product(range(1, n + 1), repeat=size)]
    else:
        walks = [walk for size in (2, 3, 4) for walk in permutations(range(1, n + 1), size)]
    if len(queries) == 3:
        walks = [walk for walk in walks if walk[-1] != 4 and walk[0] != 4]
    choices = list(product(walks, repeat=len(queries)))
    for choice in choices[:: len(choices) // 200 + 1]:
        outputs[_answer(choice)] = _is_right(edges, queries, choice)
    for choice in product(*(_paths(n, edges, *query) for query in queries)):
        outputs[_answer(choice)] = _is_right(edges, queries, choice)
        outputs[_answer(choice[::-1])] = _is_right(edges, queries, choice[::-1])
        outputs[f"{_answer(choice)} 1\n"] = False
        outputs[_answer(choice).replace("YES", "NO")] = False
    loops = [walk for walk in product(range(1, n + 1), repeat=4) if walk[0] == queries[0][0]]
    if len(queries) == 2:
        pairs = [(walk, walk[::-1]) for walk in loops] + [(walk, walk) for walk in loops]
        outputs |= {_answer(pair): _is_right(edges, queries, pair) for pair in pairs}
    return outputs


def _answer(choice: tuple[tuple[int, ...], ...]) -> str:
    return "YES\n" + "".join(f"{len(walk)}\n{' '.join(map(str, walk))}\n" for walk in choice)


def _is_right(edges: list[_Pair], queries: list[_Pair], choice: tuple[tuple[int, ...], ...]) -> bool:
    for query, walk in zip(queries, choice, strict=True):
        if (walk[0], walk[-1]) != query or any(walk.count(node) > 1 for node in walk):
            return False
        if any((u, v) not in edges and (v, u) not in edges for u, v in pairwise(walk)):
            return False
    return _is_even(edges, choice)


def _is_even(edges: list[_Pair], choice: tuple[tuple[int, ...], ...]) -> bool:
    steps = [step for walk in choice for step in pairwise(walk)]
    return all((steps.count((u, v)) + steps.count((v, u))) % 2 == 0 for u, v in edges)


def _can_add(n: int, edges: list[_Pair], queries: list[_Pair], extra: int) -> bool:
    return any(
        _is_even(edges, choice)
        for added in combinations_with_replacement(combinations(range(1, n + 1), 2), extra)
        for choice in product(*(_paths(n, edges, *query) for query in [*queries, *added]))
    )


def _paths(n: int, edges: list[_Pair], start: int, end: int) -> list[tuple[int, ...]]:
    walks = [walk for size in range(2, n + 1) for walk in permutations(range(1, n + 1), size)]
    both = {*edges, *((v, u) for u, v in edges)}
    return [walk for walk in walks if (walk[0], walk[-1]) == (start, end) and set(pairwise(walk)) <= both]
