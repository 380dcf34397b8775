"""1607_E: a cell from which the robot executes as many commands as from any."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 10**4
_LONGEST = 10**6


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        reader.integer(1, _LONGEST, "n")
        reader.integer(1, _LONGEST, "m")
        total += len(reader.string("LRDU", 1, _LONGEST, "s"))
        if total > _LONGEST:
            reader.refuse(f"the total length of s over all test cases is over {_LONGEST}")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n, m = given.integers(2, 1, _LONGEST, "n or m")
        rows, columns = _right_cells(n, m, given.string("LRDU", 1, _LONGEST, "s"))
        row, column = reader.integer(1, n, f"r of case {case}"), reader.integer(1, m, f"c of case {case}")
        if row not in rows or column not in columns:
            reader.refuse(f"case {case}: from {row} {column} fewer commands are executed than from another cell")
    reader.end()


def _right_cells(n: int, m: int, commands: str) -> tuple[range, range]:
    """Return the rows and the columns to start from: those that keep the longest walk that fits on the board."""
    row = column = top = bottom = left = right = 0
    for command in commands:
        if command == "U":
            row -= 1
            if row < top:
                if bottom - row >= n:
                    break
                top = row
        elif command == "D":
            row += 1
            if row > bottom:
                if row - top >= n:
                    break
                bottom = row
        elif command == "L":
            column -= 1
            if column < left:
                if right - column >= m:
                    break
                left = column
        else:
            column += 1
            if column > right:
                if column - left >= m:
                    break
                right = column
    return range(1 - top, n - bottom + 1), range(1 - left, m - right + 1)
