"""1613_B by trying every list of pairs of small numbers."""

from itertools import product

_SEQUENCES = ((1, 4), (3, 2), (5, 4), (1, 2, 3), (4, 2, 1), (2, 3, 4, 5), (1, 2, 3, 4))


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(sequence) for sequence in _SEQUENCES]


def _case(sequence: tuple[int, ...]) -> tuple[str, str, dict[str, bool]]:
    pairs = list(product(range(6), repeat=2))
    among = list(product(sequence, repeat=2))
    lists = [(), *product(pairs), *product(among, repeat=2), *product(among[:6], repeat=3)]
    outputs = {" ".join(f"{x} {y}" for x, y in several): _is_right(sequence, several) for several in lists}
    expected = next(output for output, right in outputs.items() if right)
    return f"1\n{len(sequence)}\n{' '.join(map(str, sequence))}\n", expected, outputs


def _is_right(sequence: tuple[int, ...], pairs: tuple[tuple[int, ...], ...]) -> bool:
    for x, y in pairs:
        if x == y or x not in sequence or y not in sequence:
            return False
        if any(remainder in sequence and (x - remainder) % y == 0 for remainder in range(y)):
            return False
    return len(pairs) == len(sequence) // 2 and all(pairs.count(pair) == 1 for pair in pairs)
