"""582 by walking from every cell of small boards."""

from itertools import product

Case = tuple[str, str, dict[str, bool]]

_MOVES = {"L": (0, -1), "R": (0, 1), "U": (-1, 0), "D": (1, 0)}


def cases() -> list[Case]:
    found = [_case(list(map("".join, [cells]))) for cells in product("LRDU", repeat=2)]
    found += [_case(["".join(cells[:2]), "".join(cells[2:])]) for cells in list(product("LRDU", repeat=4))[::7]]
    return [*found, _case(["L"]), _case(["R", "U", "D"])]


def _case(board: list[str]) -> Case:
    cells = list(product(range(len(board)), range(len(board[0]))))
    walks = {cell: _walk(board, cell) for cell in cells}
    most = max(walks.values())
    outputs: dict[str, bool] = {}
    for cell, steps in product(cells, range(len(cells) + 2)):
        outputs[f"{cell[0] + 1} {cell[1] + 1} {steps}"] = steps == walks[cell] == most
    outputs[f"{len(board) + 1} 1 {most}"] = outputs[f"1 0 {most}"] = False
    text = "\n".join(["1", "", f"{len(board)} {len(board[0])}", *board])
    return text, next(output for output, right in outputs.items() if right), outputs


def _walk(board: list[str], cell: tuple[int, int]) -> int:
    visited: list[tuple[int, int]] = []
    while cell not in visited and cell[0] in range(len(board)) and cell[1] in range(len(board[0])):
        visited.append(cell)
        down, right = _MOVES[board[cell[0]][cell[1]]]
        cell = (cell[0] + down, cell[1] + right)
    return len(visited)
