"""1586_A by summing up every subset; composite numbers are the products of numbers above 1."""

from itertools import combinations, product

_COMPOSITES = {x * y for x in range(2, 400) for y in range(2, 800 // x + 1)}
_LISTS = [(8, 1, 2), (1, 2, 3), (200, 199, 198), (2, 4, 1), (4, 7, 2), (1, 3, 7), (101, 1, 5)]


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    alone = [(f"1\n3\n{_line(a)}\n", _text(_largest(a)[0]), _outputs(a)) for a in _LISTS]
    four = (1, 4, 6, 2)
    picks = [pick for size in range(5) for pick in product(range(1, 5), repeat=size)]
    several = {_text(pick): pick in _ordered(four) for pick in picks}
    return [*alone, (f"1\n4\n{_line(four)}\n", _text(_largest(four)[0]), several)]


def _outputs(a: tuple[int, ...]) -> dict[str, bool]:
    picks = [pick for size in range(4) for pick in product(range(5), repeat=size)]
    rights = _ordered(a)
    outputs = {_text(pick): pick in rights for pick in picks}
    outputs |= {f"{len(pick) + 1}\n{_line(pick)}": False for pick in rights}
    outputs |= {f"{len(pick) - 1}\n{_line(pick)}": False for pick in rights}
    return outputs | {f"{len(pick)}\n{_line(pick)} 1": False for pick in rights}


def _largest(a: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the largest subsets of composite sum, each by its indices from 1 in order."""
    for size in range(len(a), 0, -1):
        indices = combinations(range(1, len(a) + 1), size)
        found = [pick for pick in indices if sum(a[index - 1] for index in pick) in _COMPOSITES]
        if found:
            return found
    return []


def _ordered(a: tuple[int, ...]) -> set[tuple[int, ...]]:
    largest = _largest(a)
    lists = product(range(1, len(a) + 1), repeat=len(largest[0]))
    return {pick for pick in lists if tuple(sorted(pick)) in largest}


def _text(pick: tuple[int, ...]) -> str:
    return f"{len(pick)}\n{_line(pick)}\n"


def _line(numbers: tuple[int, ...]) -> str:
    return " ".join(map(str, numbers))
