"""1608_A by trying every array of small numbers."""

from itertools import product


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [("1\n1\n", "1\n", _outputs(1)), ("1\n2\n", "2 3\n", _outputs(2)), ("1\n3\n", "2 3 4\n", _outputs(3))]


def _outputs(n: int) -> dict[str, bool]:
    arrays = [array for length in (n - 1, n, n + 1) for array in product(range(8 if n < 3 else 6), repeat=length)]
    largest = {str([*range(10**9 - n + 1, 10**9 + 1)])[1:-1].replace(",", ""): True}
    too_large = {str([*range(10**9 - n + 2, 10**9 + 2)])[1:-1].replace(",", ""): False}
    return {" ".join(map(str, array)): _is_right(n, array) for array in arrays} | largest | too_large


def _is_right(n: int, array: tuple[int, ...]) -> bool:
    pairs = [(array[i], array[i + 1]) for i in range(len(array) - 1)]
    multiples = any(high in [low * factor for factor in range(9)] for low, high in pairs)
    return len(array) == n and 0 not in array and not multiples and list(array) == sorted(set(array))
