"""1599_J by trying every array of small numbers."""

from itertools import combinations, product

_SUMS = (
    (5, 5),
    (1, 2),
    (1, 2, 3),
    (2, 4, 5),
    (1, 1, 4),
    (2, 2, 2),
    (2, 2, 4),
    (1, 3, 4, 4),
    (2, 4, 6, 7),
    (1, 2, 5, 9),
)


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(sums) for sums in _SUMS]


def _case(sums: tuple[int, ...]) -> tuple[str, str, dict[str, bool]]:
    n = len(sums)
    arrays = list(product(range(-4, 8), repeat=n))
    right = [array for array in arrays if all(any(a + b == s for a, b in combinations(array, 2)) for s in sums)]
    outputs = {f"{_shown(array)} {array[0]}": False for array in right[:5]}
    outputs |= {_shown(array[1:]): False for array in right[:5]}
    outputs |= {_shown(array)[4:]: False for array in right[:5]}
    tried = arrays[:: 1 + len(arrays) // 100] + right[:30]
    outputs |= {_shown(array): array in right for array in tried}
    outputs |= {"NO": not right, "YES": False, "NO 1": False}
    return f"{n}\n{' '.join(map(str, sums))}\n", _shown(right[0]) if right else "NO", outputs


def _shown(array: tuple[int, ...]) -> str:
    return f"YES {' '.join(map(str, array))}"
