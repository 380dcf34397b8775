"""1623_B by playing every game on up to three numbers and trying all lines."""

from itertools import permutations, product

_Turn = tuple[int, int, int]


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    made = []
    for n in (1, 2, 3):
        for game in _games(1, n):
            ranges = [(low, high) for low, high, _ in game]
            outputs = {_text(turns): sorted(turns) == sorted(game) for turns in _tried(ranges)}
            made.append((f"1\n{n}\n" + "".join(f"{low} {high}\n" for low, high in ranges), _text(game), outputs))
    return made


def _tried(ranges: list[tuple[int, int]]) -> list[tuple[_Turn, ...]]:
    """Return all lines for up to two ranges, and all picks in all orders of more ranges."""
    numbers = range(1, len(ranges) + 1)
    if len(ranges) < 3:
        return list(product(product(numbers, numbers, numbers), repeat=len(ranges)))
    return [
        tuple((low, high, d) for (low, high), d in zip(order, picks, strict=True))
        for order in permutations(ranges)
        for picks in product(numbers, repeat=len(ranges))
    ]


def _games(low: int, high: int) -> list[tuple[_Turn, ...]]:
    if low > high:
        return [()]
    return [
        (*left, (low, high, d), *right)
        for d in range(low, high + 1)
        for left in _games(low, d - 1)
        for right in _games(d + 1, high)
    ]


def _text(turns: tuple[_Turn, ...]) -> str:
    return "".join(f"{low} {high} {d}\n" for low, high, d in turns)
