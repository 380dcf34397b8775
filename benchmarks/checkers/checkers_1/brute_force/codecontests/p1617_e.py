"""1617_E by a search through all exchanges of numbers up to 64."""

from itertools import product

_INPUTS = [(0, 1), (8, 4), (5, 6, 7), (0, 16, 9), (5, 6, 7, 8), (13, 0, 11, 3), (1, 2, 4, 8), (19, 21, 22)]
_MOST = 64


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(types) for types in _INPUTS]


def _case(types: tuple[int, ...]) -> tuple[str, str, dict[str, bool]]:
    indices = range(len(types))
    exchanges = {(x, y): _exchanges(types[x], types[y]) for x in indices for y in indices if x != y}
    most = max(exchanges.values())
    outputs = {
        f"{x + 1} {y + 1} {m}": exchanges.get((x, y)) == m == most for x, y, m in product(indices, indices, range(10))
    }
    expected = next(output for output, is_right in outputs.items() if is_right)
    return f"{len(types)}\n{' '.join(map(str, types))}\n", expected, outputs


def _exchanges(start: int, end: int) -> int:
    reached, count = {start}, 0
    while end not in reached:
        reached |= {2**k - one for one in reached for k in range(7) if one <= 2**k <= _MOST}
        count += 1
    return count
