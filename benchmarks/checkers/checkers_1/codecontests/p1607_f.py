"""1607_F: a cell with the longest walk of all, and the number of its moves."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 10**4
_LONGEST = 2000
_MOST_CELLS = 4 * 10**6


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    cells = 0
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        n, m = reader.integer(1, _LONGEST, "n"), reader.integer(1, _LONGEST, "m")
        cells += n * m
        if cells > _MOST_CELLS:
            reader.refuse(f"the sum of the sizes of all boards is over {_MOST_CELLS}")
        for row in range(1, n + 1):
            reader.string("LRDU", m, m, f"row {row}")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader, reference = Reader(text, Invalid), Reader(output), Reader(expected)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n, m = given.integers(2, 1, _LONGEST, "n or m")
        board = [given.string("LRDU", m, m, "a row") for _ in range(n)]
        most = _answer(reference, n, m, case)[2]
        row, column, claimed = _answer(reader, n, m, case)
        moves = _moves(board, row, column)
        if claimed != moves:
            reader.refuse(f"case {case}: d is {claimed}, but from {row} {column} there are {moves} moves")
        if moves < most:
            reader.refuse(f"case {case}: {moves} moves from {row} {column}, but {most} are possible")
        if moves > most:
            reader.refuse(f"case {case}: the reference is worse, {most} moves where {moves} are possible")
    reader.end()


def _answer(reader: Reader, n: int, m: int, case: int) -> tuple[int, int, int]:
    row, column = reader.integer(1, n, f"r of case {case}"), reader.integer(1, m, f"c of case {case}")
    return row, column, reader.integer(0, n * m, f"d of case {case}")


def _moves(board: list[str], row: int, column: int) -> int:
    """Return how many moves there are from a cell; a cell left behind is walled like the edge of the board."""
    width = len(board[0]) + 1
    edge = "#" * width
    cells = bytearray("#".join([edge, *board, edge]).encode())
    steps = {ord("L"): -1, ord("R"): 1, ord("U"): -width, ord("D"): width}
    wall, place, moves = ord("#"), width + 1 + (row - 1) * width + column - 1, 0
    while (cell := cells[place]) != wall:
        cells[place] = wall
        place += steps[cell]
        moves += 1
    return moves
