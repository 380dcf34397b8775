"""1618_A by trying every triple of numbers up to five."""

from itertools import combinations, product

_INPUTS = [(1, 1, 1), (1, 2, 3), (2, 1, 1), (4, 2, 2), (5, 3, 1), (2, 4, 5)]


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(numbers) for numbers in _INPUTS]


def _case(numbers: tuple[int, ...]) -> tuple[str, str, dict[str, bool]]:
    sums = _sums(numbers)
    triples = product(range(6), repeat=3)
    outputs = {" ".join(map(str, triple)): min(triple) > 0 and _sums(triple) == sums for triple in triples}
    return f"1\n{' '.join(map(str, sums))}\n", " ".join(map(str, numbers)), outputs


def _sums(numbers: tuple[int, ...]) -> list[int]:
    return sorted(sum(part) for size in (1, 2, 3) for part in combinations(numbers, size))
