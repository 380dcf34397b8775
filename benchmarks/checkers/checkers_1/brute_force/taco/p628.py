"""628 by searching in width among numbers below 64 whose sum is a power of two."""

from itertools import product

Case = tuple[str, str, dict[str, bool]]


def cases() -> list[Case]:
    chosen = [(0, 1), (4, 8), (8, 6), (5, 6, 7), (0, 9, 3), (12, 31, 1), (2, 4, 8, 16), (5, 6, 7, 8, 9), (3, 11, 7, 0)]
    return [_case(types) for types in chosen]


def _case(types: tuple[int, ...]) -> Case:
    tables = [_apart(start) for start in types]
    pairs = [(one, other) for one, other in product(range(len(types)), repeat=2) if one != other]
    most = max(tables[one][types[other]] for one, other in pairs)
    outputs: dict[str, bool] = {}
    for one, other in product(range(len(types) + 1), repeat=2):
        for number in range(most + 2):
            right = (one - 1, other - 1) in pairs and number == most == tables[one - 1][types[other - 1]]
            outputs[f"{one} {other} {number}"] = right
    expected = next(output for output, right in outputs.items() if right)
    return f"{len(types)}\n{' '.join(map(str, types))}\n", expected, outputs


def _apart(start: int) -> dict[int, int]:
    """Return how many exchanges make each number of ``start``."""
    found = {start: 0}
    layer = [start]
    while layer:
        layer = [power - value for value in layer for power in (1, 2, 4, 8, 16, 32, 64) if power >= value]
        layer = [value for value in dict.fromkeys(layer) if value not in found]
        found.update(dict.fromkeys(layer, max(found.values()) + 1))
    return found
