"""1606_D by comparing every red cell with every blue one, for every coloring and every cut."""

from itertools import product

_MATRICES = (
    ((3, 1), (2, 2), (1, 3)),
    ((1, 3), (3, 1), (1, 3)),
    ((2, 2), (2, 2)),
    ((2, 1), (1, 2)),
    ((1, 2), (2, 1)),
    ((3, 3, 3, 2), (1, 1, 1, 4)),
    ((3, 3, 3, 2), (1, 1, 2, 2)),
    ((5, 4, 1), (1, 2, 3), (4, 3, 2), (2, 1, 5)),
    ((1, 9, 1), (2, 8, 2), (3, 7, 3)),
    ((3, 2, 1), (2, 2, 2), (1, 2, 3)),
    ((4, 4, 1, 1), (3, 3, 2, 2), (2, 2, 3, 3), (1, 1, 4, 4)),
)


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(matrix) for matrix in _MATRICES]


def _case(matrix: tuple[tuple[int, ...], ...]) -> tuple[str, str, dict[str, bool]]:
    n, m = len(matrix), len(matrix[0])
    outputs = {"YES": False, "MAYBE": False}
    for colors in map("".join, product("RB", repeat=n)):
        for k in range(-1, m + 2):
            outputs[f"YES {colors} {k}"] = 1 <= k < m and _is_perfect(matrix, colors, k)
            outputs[f"YES {colors} {k} 1"] = outputs[f"YES {colors.lower()} {k}"] = False
    outputs["NO"] = outputs["no"] = not any(outputs.values())
    text = "".join(" ".join(map(str, row)) + "\n" for row in matrix)
    return f"1\n{n} {m}\n{text}", next(output for output, right in outputs.items() if right), outputs


def _is_perfect(matrix: tuple[tuple[int, ...], ...], colors: str, k: int) -> bool:
    columns = range(len(matrix[0]))
    cells = [(colors[row], column < k, matrix[row][column]) for row in range(len(matrix)) for column in columns]
    for color, is_left, value in cells:
        for other_color, other_is_left, other_value in cells:
            if (color, other_color, is_left) != ("R", "B", other_is_left):
                continue
            if value == other_value or (value > other_value) != is_left:
                return False
    return "R" in colors and "B" in colors
