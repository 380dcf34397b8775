"""1608_B by trying every permutation, and every tuple of three numbers."""

from itertools import permutations, product


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    small = [(n, a, b) for n in (2, 3, 4) for a in range(n + 1) for b in range(n + 1)]
    return [_case(n, a, b) for n, a, b in [*small, (5, 1, 1), (5, 2, 1), (5, 1, 2), (5, 2, 2), (5, 2, 0)]]


def _case(n: int, a: int, b: int) -> tuple[str, str, dict[str, bool]]:
    found = [order for order in permutations(range(1, n + 1)) if _peaks(order, 1) == a and _peaks(order, -1) == b]
    tuples = product(range(5), repeat=n) if n < 4 else permutations(range(1, n + 1))
    outputs = {" ".join(map(str, numbers)): numbers in found for numbers in tuples}
    outputs["-1"] = not found
    return f"1\n{n} {a} {b}\n", next(output for output, right in outputs.items() if right), outputs


def _peaks(order: tuple[int, ...], sign: int) -> int:
    triples = [[sign * number for number in order[i : i + 3]] for i in range(len(order) - 2)]
    return sum(max(triple) == triple[1] for triple in triples)
