"""1607_F by walking from every cell, with a list of the cells behind."""

from itertools import product

_BOARDS = ("L", "RL/UD", "RD/UL", "RRL", "D/D/U", "RDL/DLU", "RRD/ULL", "DL/RU", "UD/RU", "DL/UL/RU", "RRD/LUD/ULL")


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(board.split("/")) for board in _BOARDS]


def _case(board: list[str]) -> tuple[str, str, dict[str, bool]]:
    n, m = len(board), len(board[0])
    moves = {(r, c): _moves(board, (r - 1, c - 1)) for r in range(1, n + 1) for c in range(1, m + 1)}
    most = max(moves.values())
    outputs = {
        f"{r} {c} {d}": moves.get((r, c)) == d == most
        for r, c, d in product(range(n + 2), range(m + 2), range(-1, n * m + 2))
    }
    expected = next(output for output, right in outputs.items() if right)
    rows = "\n".join(board)
    return f"1\n\n{n} {m}\n{rows}\n", expected, {**outputs, f"{expected} 1": False, expected[:3]: False}


def _moves(board: list[str], cell: tuple[int, int]) -> int:
    behind: list[tuple[int, int]] = []
    while cell not in behind and cell[0] in range(len(board)) and cell[1] in range(len(board[0])):
        behind.append(cell)
        row, column = {"L": (0, -1), "R": (0, 1), "U": (-1, 0), "D": (1, 0)}[board[cell[0]][cell[1]]]
        cell = (cell[0] + row, cell[1] + column)
    return len(behind)
