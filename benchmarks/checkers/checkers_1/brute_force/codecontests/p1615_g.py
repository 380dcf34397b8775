"""1615_G by trying every array of up to four elements."""

from itertools import product

_INPUTS = [
    (0, 0),
    (1, 2),
    (0, 0, 0),
    (3, 0, 2),
    (1, 0, 0),
    (0, 2, 0),
    (0, 0, 0, 0),
    (1, 0, 0, 1),
    (2, 0, 0, 1),
    (0, 3, 3, 0),
    (4, 0, 4, 4),
]


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(numbers) for numbers in _INPUTS]


def _case(numbers: tuple[int, ...]) -> tuple[str, str, dict[str, bool]]:
    n = len(numbers)
    arrays = list(product(range(1, n + 1), repeat=n))
    kept = [array for array in arrays if all(a in (0, b) for a, b in zip(numbers, array, strict=True))]
    most = max(map(_value, kept))
    outputs = {" ".join(map(str, array)): array in kept and _value(array) == most for array in arrays}
    expected = next(output for output, is_right in outputs.items() if is_right)
    return f"{n}\n{' '.join(map(str, numbers))}\n", expected, outputs


def _value(array: tuple[int, ...]) -> int:
    n = len(array)
    return sum(any(array[i] == array[i + 1] == k for i in range(n - 1)) for k in range(1, n + 1))
