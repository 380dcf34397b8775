"""1607_G by trying everything that may be eaten of two dishes or one."""

from itertools import product

_DISHES = (
    (2, ((3, 1), (1, 2))),
    (2, ((0, 4), (0, 2))),
    (2, ((4, 0), (2, 1))),
    (1, ((3, 3), (1, 3))),
    (0, ((2, 3), (1, 0))),
    (3, ((2, 2), (2, 2))),
    (4, ((3, 4),)),
    (2, ((2, 0),)),
    (1, ((1, 2),)),
)


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(m, dishes) for m, dishes in _DISHES]


def _case(m: int, dishes: tuple[tuple[int, int], ...]) -> tuple[str, str, dict[str, bool]]:
    balances = {}
    for eaten in product(product(range(-1, m + 2), repeat=2), repeat=len(dishes)):
        if all(x + y == m for x, y in eaten):
            left = [(a - x, b - y) for (a, b), (x, y) in zip(dishes, eaten, strict=True)]
            fits = all(0 <= x <= a and 0 <= y <= b for (a, b), (x, y) in zip(dishes, eaten, strict=True))
            balances[eaten] = abs(sum(a for a, _ in left) - sum(b for _, b in left)) if fits else -1
    least = min(balance for balance in balances.values() if balance >= 0)
    outputs = {str(least): False}
    for eaten, balance in balances.items():
        for claimed in range(7):
            words = [claimed, *(grams for pair in eaten for grams in pair)]
            outputs[" ".join(map(str, words))] = claimed == balance == least
        outputs[" ".join(map(str, [least, *(grams for x, y in eaten for grams in (x, y + 1))]))] = False
    expected = next(output for output, right in outputs.items() if right)
    text = "".join(f"{a} {b}\n" for a, b in dishes)
    return f"1\n\n{len(dishes)} {m}\n{text}", expected, {**outputs, f"{expected} 0": False}
