"""1600_F by looking at every five people."""

from itertools import combinations, permutations, product

_Pairs = set[tuple[int, int]]


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    ring = {(1, 2), (2, 3), (3, 4), (4, 5), (1, 5)}
    whole = set(combinations(range(1, 6), 2))
    graphs: list[tuple[int, _Pairs]] = [
        (5, ring),
        (5, whole),
        (5, set()),
        (5, whole - {(2, 4)}),
        (6, ring),
        (6, {(1, 6)}),
        (6, whole | {(1, 6), (2, 6)}),
        (7, {(1, 2), (3, 4), (5, 6)}),
        (7, set(combinations(range(1, 8), 2)) - {(1, 2), (3, 4), (5, 7)}),
        (8, {(one, other) for one, other in combinations(range(1, 9), 2) if (one - other) % 8 in (1, 4, 7)}),
        (9, {(one, other) for one, other in combinations(range(1, 10), 2) if (one - other) % 3}),
        (13, {(one, other) for one, other in combinations(range(1, 14), 2) if (one - other) % 13 in (1, 5, 8, 12)}),
        (17, {(a, b) for a, b in combinations(range(1, 18), 2) if (b - a) % 17 in (1, 2, 4, 8, 9, 13, 15, 16)}),
    ]
    return [_case(n, pairs) for n, pairs in graphs]


def _case(n: int, pairs: _Pairs) -> tuple[str, str, dict[str, bool]]:
    right = [five for five in combinations(range(1, n + 1), 5) if _is_successful(five, pairs)]
    fives = [*combinations(range(1, n + 1), 5)][:150] + right[:50] + [*product(range(n + 2), repeat=5)][:: (n + 2) ** 3]
    fives += [five for first in right[:1] for five in permutations(first)]
    outputs = {_shown(five): len(set(five)) == 5 and tuple(sorted(five)) in right for five in fives}
    outputs |= {_shown(five[:4]): False for five in right[:5]}
    outputs |= {_shown((*five, five[0])): False for five in right[:5]}
    outputs |= {"-1": not right, "-1 -1 -1 -1 -1": False, "0": False}
    lines = [f"{n} {len(pairs)}", *(f"{other} {one}" for one, other in sorted(pairs))]
    return "\n".join(lines) + "\n", _shown(right[0]) if right else "-1", outputs


def _is_successful(five: tuple[int, ...], pairs: _Pairs) -> bool:
    return len({pair in pairs for pair in combinations(five, 2)}) == 1


def _shown(five: tuple[int, ...]) -> str:
    return " ".join(map(str, five))
