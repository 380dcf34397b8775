"""1586_F by looking at the colors of every path, and by trying fewer colors in every way."""

from collections.abc import Iterator
from itertools import combinations, count, pairwise, product


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(n, k) for n, k in ((3, 2), (4, 2), (4, 3), (5, 2))]


def _case(n: int, k: int) -> tuple[str, str, dict[str, bool]]:
    fewest = next(c for c in count(1) if any(_is_valid(n, k, colors) for colors in _colorings(n, c)))
    right = next(colors for colors in _colorings(n, fewest) if _is_valid(n, k, colors))
    if n == 3:
        tried = [colors for size in (2, 3, 4) for colors in product(range(4), repeat=size)]
    elif n == 4:
        tried = list(product(range(1, 4), repeat=6))[::3]
    else:
        tried = [_changed(right, places, colors) for places in combinations(range(10), 2) for colors in _pairs(fewest)]
    claims = range(1, 5) if n == 3 else (fewest, fewest + 1)
    outputs = {
        _text(c, colors): c == fewest
        and len(colors) == len(right)
        and set(colors) == set(range(1, c + 1))
        and _is_valid(n, k, colors)
        for c in claims
        for colors in tried
    }
    return f"{n} {k}\n", _text(fewest, right), outputs


def _colorings(n: int, c: int) -> Iterator[tuple[int, ...]]:
    yield from product(range(1, c + 1), repeat=n * (n - 1) // 2)


def _is_valid(n: int, k: int, colors: tuple[int, ...]) -> bool:
    color = dict(zip(combinations(range(n), 2), colors, strict=True))
    paths = [path for size in range(k + 1, n + 1) for path in combinations(range(n), size)]
    return all(len({color[edge] for edge in pairwise(path)}) > 1 for path in paths)


def _pairs(c: int) -> list[tuple[int, int]]:
    return list(combinations(range(1, c + 1), 2))


def _changed(colors: tuple[int, ...], places: tuple[int, ...], others: tuple[int, ...]) -> tuple[int, ...]:
    changed = list(colors)
    for place, other in zip(places, others, strict=True):
        changed[place] = other
    return tuple(changed)


def _text(c: int, colors: tuple[int, ...]) -> str:
    return f"{c}\n{' '.join(map(str, colors))}\n"
