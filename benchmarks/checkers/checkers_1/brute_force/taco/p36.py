"""36 by trying all small weights on the edges of small graphs."""

from itertools import product

Edges = tuple[tuple[int, int], ...]
Case = tuple[str, str, dict[str, bool]]


def cases() -> list[Case]:
    found = [_case(2, ((1, 2),), asked) for asked in product((-1, 1), repeat=2)]
    found += [_case(3, ((1, 2), (2, 3)), asked) for asked in product((-1, 1, 3), (-2, 0), (-1, 1))]
    found += [_case(3, ((1, 2), (2, 3), (3, 1)), asked) for asked in product((-2, 0, 2), (2,), (0, 2))]
    found += [_case(4, ((1, 2), (2, 3), (3, 4), (4, 1)), asked) for asked in ((0, 0, 0, 0), (2, 0, -2, 0))]
    return [*found, _far()]


def _case(n: int, edges: Edges, asked: tuple[int, ...]) -> Case:
    spread = 9 if len(edges) < 3 else 3 if len(edges) == 3 else 2
    right: dict[str, bool] = {}
    for weights in product(range(-spread, spread + 1), repeat=len(edges)):
        right[_shown(weights)] = _fits(n, edges, asked, weights)
    expected = next((output for output, fits in right.items() if fits), "NO")
    kept = dict(list(right.items())[:: max(1, len(right) // 40)])
    return _input(n, edges, asked), expected, {**kept, expected: True, "NO": expected == "NO"}


def _far() -> Case:
    edges = ((1, 2), (2, 3), (3, 4), (4, 1))
    outputs = {_shown((size, -size, size, -size)): abs(size) <= 2 * 4 * 4 for size in range(-40, 41)}
    return _input(4, edges, (0, 0, 0, 0)), _shown((0, 0, 0, 0)), outputs


def _fits(n: int, edges: Edges, asked: tuple[int, ...], weights: tuple[int, ...]) -> bool:
    pairs = list(zip(edges, weights, strict=True))
    sums = [sum(weight for ends, weight in pairs if vertex in ends) for vertex in range(1, n + 1)]
    return sums == list(asked) and all(abs(weight) <= 2 * n * n for weight in weights)


def _input(n: int, edges: Edges, asked: tuple[int, ...]) -> str:
    return "\n".join([f"{n} {len(edges)}", " ".join(map(str, asked)), *(f"{one} {other}" for one, other in edges)])


def _shown(weights: tuple[int, ...]) -> str:
    return "\n".join(["YES", *map(str, weights)])
