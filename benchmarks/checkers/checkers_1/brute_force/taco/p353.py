"""353 by trying all colourings and cuts of small matrices, also those that are not allowed."""

from itertools import product

Case = tuple[str, str, dict[str, bool]]
Matrix = list[tuple[int, ...]]


def cases() -> list[Case]:
    found = [_case([cells[:2], cells[2:]]) for cells in product((1, 2), repeat=4)]
    found += [_case([cells[:2], cells[2:4], cells[4:]]) for cells in list(product((1, 2), repeat=6))[::3]]
    found += [_case([cells[:3], cells[3:]]) for cells in list(product((1, 2), repeat=6))[::3]]
    return [*found, _case([(1, 3), (2, 2), (3, 1)]), _case([(3, 1), (1, 3), (2, 2)])]


def _case(matrix: Matrix) -> Case:
    width = len(matrix[0])
    outputs: dict[str, bool] = {}
    for colours in map("".join, product("RB", repeat=len(matrix))):
        for cut in range(width + 1):
            right = 1 <= cut < width and len(set(colours)) == 2 and _perfect(matrix, colours, cut)
            outputs[f"YES\n{colours} {cut}"] = right
    expected = next((output for output, right in outputs.items() if right), "NO")
    outputs["NO"] = expected == "NO"
    lines = [f"{len(matrix)} {width}", *(" ".join(map(str, row)) for row in matrix)]
    return "\n".join(["1", *lines]), expected, outputs


def _perfect(matrix: Matrix, colours: str, cut: int) -> bool:
    for red, blue in product(range(len(matrix)), repeat=2):
        if (colours[red], colours[blue]) == ("R", "B"):
            for one, other in product(range(len(matrix[0])), repeat=2):
                if one < cut and other < cut and matrix[red][one] <= matrix[blue][other]:
                    return False
                if one >= cut and other >= cut and matrix[blue][one] <= matrix[red][other]:
                    return False
    return True
