"""1618_C by trying every d up to eight on arrays of two and three numbers up to six."""

from itertools import product


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    arrays = [*product(range(1, 7), repeat=2), *product((1, 2, 4, 6, 3), repeat=3)]
    return [_case(array) for array in arrays]


def _case(array: tuple[int, ...]) -> tuple[str, str, dict[str, bool]]:
    outputs = {str(d): _is_right(array, d) for d in range(1, 9)}
    outputs["0"] = not any(outputs.values())
    expected = next(output for output, is_right in outputs.items() if is_right)
    return f"1\n{len(array)}\n{' '.join(map(str, array))}\n", expected, outputs


def _is_right(array: tuple[int, ...], d: int) -> bool:
    colors = ["blue" if a % d else "red" for a in array]
    return not any(colors[i] == colors[i + 1] for i in range(len(colors) - 1))
