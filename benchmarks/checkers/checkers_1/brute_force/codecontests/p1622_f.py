"""1622_F by multiplying the factorials of every subset of up to nine numbers."""

from itertools import combinations
from math import factorial, isqrt, prod


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(n) for n in range(1, 10)]


def _case(n: int) -> tuple[str, str, dict[str, bool]]:
    subsets = [part for size in range(1, n + 1) for part in combinations(range(1, n + 1), size)]
    squares = [part for part in subsets if _is_square(prod(map(factorial, part)))]
    most = max(map(len, squares))
    outputs = {_text(len(part), part): part in squares and len(part) == most for part in subsets}
    best = next(part for part in squares if len(part) == most)
    outputs |= {_text(most, best[::-1]): True, _text(most, (*best, best[0])): False, _text(most + 1, best): False}
    if most > 1:
        outputs[_text(most, best[:-1] + best[:1])] = False
    return f"{n}\n", _text(most, best), outputs


def _text(size: int, part: tuple[int, ...]) -> str:
    return f"{size}\n{' '.join(map(str, part))}\n"


def _is_square(number: int) -> bool:
    return isqrt(number) ** 2 == number
