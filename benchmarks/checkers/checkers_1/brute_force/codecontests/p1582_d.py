"""1582_D by multiplying out every array of small numbers, and arrays at the bound of the sum."""

from itertools import product

_LISTS: list[tuple[int, ...]] = [(2, -3), (5, 5), (-1, 1), (1, 1, 2), (2, -3, 1)]


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    alone = [(_text([a]), _first([a]), _small(a) | _large(a)) for a in _LISTS]
    pair: list[tuple[int, ...]] = [(1, 2), (3, -1)]
    return [*alone, (_text(pair), _first(pair), _pairs(pair))]


def _text(arrays: list[tuple[int, ...]]) -> str:
    lines = [f"{len(a)}\n{_line(a)}\n" for a in arrays]
    return f"{len(arrays)}\n{''.join(lines)}"


def _first(arrays: list[tuple[int, ...]]) -> str:
    rights = [next(b for b in product(range(-4, 5), repeat=len(a)) if _is_right(a, b)) for a in arrays]
    return "".join(f"{_line(b)}\n" for b in rights)


def _small(a: tuple[int, ...]) -> dict[str, bool]:
    steps = range(-3, 4)
    lengths = range(len(a) - 1, len(a) + 2) if len(a) == 2 else [len(a)]
    return {_line(b): _is_right(a, b) for length in lengths for b in product(steps, repeat=length)}


def _large(a: tuple[int, ...]) -> dict[str, bool]:
    scaled = [
        tuple(factor * value for value in b)
        for b in product(range(-2, 3), repeat=len(a))
        for factor in (10**8, 2 * 10**8, 250000000, 333333334)
    ]
    return {_line(b): _is_right(a, b) for b in scaled}


def _pairs(arrays: list[tuple[int, ...]]) -> dict[str, bool]:
    halves = list(product(range(-3, 4), repeat=2))
    return {
        f"{_line(b)}\n{_line(c)}": _is_right(arrays[0], b) and _is_right(arrays[1], c)
        for b in halves
        for c in halves[::5]
    }


def _is_right(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    fits = len(a) == len(b) and 0 not in b and sum(map(abs, b)) <= 1000000000
    return fits and sum(x * y for x, y in zip(a, b, strict=True)) == 0


def _line(numbers: tuple[int, ...]) -> str:
    return " ".join(map(str, numbers))
