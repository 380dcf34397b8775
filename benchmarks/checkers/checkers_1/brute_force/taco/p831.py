"""831 by trying all short lists of small integers as the first group."""

from itertools import product

Case = tuple[str, str, dict[str, bool]]


def cases() -> list[Case]:
    return [_case(n) for n in range(2, 6)]


def _case(n: int) -> Case:
    differences: dict[tuple[int, ...], int] = {}
    for size in range(min(n, 3) + 1):
        for group in product(range(1, n + 1), repeat=size):
            rest = [number for number in range(1, n + 1) if number not in group]
            if group and rest and len(rest) + size == n:
                differences[group] = abs(sum(group) - sum(rest))
    least = min(differences.values())
    outputs: dict[str, bool] = {}
    for size in range(min(n, 3) + 1):
        for group in product(range(1, n + 1), repeat=size):
            for claimed in range(3):
                right = claimed == least == differences.get(group)
                outputs[f"{claimed}\n{size} {' '.join(map(str, group))}"] = right
    return f"{n}\n", next(output for output, right in outputs.items() if right), outputs
