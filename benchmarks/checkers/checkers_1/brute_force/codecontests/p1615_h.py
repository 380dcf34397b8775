"""1615_H by trying all scores near the ones of three reindeer."""

from itertools import product

_Pairs = list[tuple[int, int]]
_INPUTS: list[tuple[tuple[int, ...], _Pairs]] = [
    ((2, 1), [(1, 2)]),
    ((1, 3), [(1, 2), (1, 2)]),
    ((3, 2, 1), [(1, 2), (2, 3)]),
    ((1, 3, 2), [(2, 3)]),
    ((3, 1, 2), [(1, 2), (1, 3), (3, 1)]),
    ((1, 1, 3), [(3, 1), (3, 2)]),
    ((2, 3, 1), [(1, 2), (2, 3), (3, 1)]),
]


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(scores, pairs) for scores, pairs in _INPUTS]


def _case(scores: tuple[int, ...], pairs: _Pairs) -> tuple[str, str, dict[str, bool]]:
    n = len(scores)
    candidates = list(product(range(-1, 5), repeat=n))
    cost = {new: sum(abs(new[i] - scores[i]) for i in range(n)) for new in candidates}
    kept = [new for new in candidates if all(new[u - 1] <= new[v - 1] for u, v in pairs)]
    least = min(cost[new] for new in kept)
    outputs = {" ".join(map(str, new)): new in kept and cost[new] == least for new in candidates}
    lines = [f"{n} {len(pairs)}", " ".join(map(str, scores)), *(f"{u} {v}" for u, v in pairs)]
    return "\n".join(lines) + "\n", next(output for output, is_right in outputs.items() if is_right), outputs
