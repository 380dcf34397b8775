"""211 by trying all matrices of zeros and ones, and one number everywhere."""

from itertools import product

Case = tuple[str, str, dict[str, bool]]


def cases() -> list[Case]:
    found = [_case(asked[:2], asked[2:]) for asked in product((0, 1), repeat=4)]
    found += [_case(asked[:2], asked[2:]) for asked in product((0, 1), (1,), (0, 1), (1,), (0, 1))]
    equal = {_shown([[number, number], [number, number]]): 0 <= number <= 2 * 10**9 for number in range(-3, 4)}
    for number in range(2 * 10**9 - 3, 2 * 10**9 + 4):
        equal[_shown([[number, number], [number, number]])] = number <= 2 * 10**9
    return [*found, ("2 2\n0 0\n0 0\n", _shown([[0, 0], [0, 0]]), equal)]


def _case(rows: tuple[int, ...], columns: tuple[int, ...]) -> Case:
    outputs: dict[str, bool] = {}
    width = len(columns)
    for cells in product((0, 1), repeat=2 * width):
        matrix = [list(cells[:width]), list(cells[width:])]
        sums = [sum(row) % 2 for row in matrix], [(one + other) % 2 for one, other in zip(*matrix, strict=True)]
        outputs[_shown(matrix)] = sums == (list(rows), list(columns))
    expected = next((output for output, right in outputs.items() if right), "NO")
    outputs["NO"] = expected == "NO"
    lines = [f"2 {width}", " ".join(map(str, rows)), " ".join(map(str, columns))]
    return "\n".join(lines), expected, outputs


def _shown(matrix: list[list[int]]) -> str:
    return "\n".join(["YES", *(" ".join(map(str, row)) for row in matrix)])
