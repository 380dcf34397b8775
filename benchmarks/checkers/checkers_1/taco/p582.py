"""582: a cell from which a robot makes the most steps, and their number, which the expected output tells."""

from turnwise.benchmarks.checkers.library import Invalid, Reader

_MOST_CELLS = 4 * 10**6


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    cells = 0
    for _ in range(reader.integer(1, 10_000, "t")):
        board = _board(reader)
        cells += len(board) * len(board[0])
        if cells > _MOST_CELLS:
            reader.refuse("the sum of the sizes of all boards is over 4000000")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader, reference = Reader(text, Invalid), Reader(output), Reader(expected)
    for case in range(1, given.integer(1, 10_000, "t") + 1):
        board = _board(given)
        row, column, steps = _claim(reader, board, case)
        _row, _column, most = _claim(reference, board, case)
        made = _steps(board, row - 1, column - 1)
        if made != steps:
            reader.refuse(f"case {case}: the robot makes {made} steps from {row} {column}, not {steps}")
        if made < most:
            reader.refuse(f"case {case}: the robot makes {made} steps, {most} are possible")
        if made > most:
            reader.refuse(f"case {case}: the reference is worse, the robot makes {made} steps instead of {most}")
    reader.end()


def _board(reader: Reader) -> list[str]:
    n = reader.integer(1, 2000, "n")
    m = reader.integer(1, 2000, "m")
    return [reader.string("LRDU", m, m, "a row of a board") for _ in range(n)]


def _claim(reader: Reader, board: list[str], case: int) -> tuple[int, int, int]:
    """Return the row, the column and the number of steps."""
    row = reader.integer(1, len(board), f"r of case {case}")
    column = reader.integer(1, len(board[0]), f"c of case {case}")
    return row, column, reader.integer(0, len(board) * len(board[0]), f"d of case {case}")


def _steps(board: list[str], row: int, column: int) -> int:
    """Return how many steps the robot makes before it leaves the board or meets a cell again."""
    n, m = len(board), len(board[0])
    seen = bytearray(n * m)
    steps = 0
    while 0 <= row < n and 0 <= column < m and not seen[row * m + column]:
        seen[row * m + column] = 1
        steps += 1
        direction = board[row][column]
        row += (direction == "D") - (direction == "U")
        column += (direction == "R") - (direction == "L")
    return steps
