"""211: a matrix with the xors of rows and columns asked for; NO only if the xors of both differ."""

from functools import reduce
from operator import xor

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**9


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    _xors(reader)
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    rows, columns = _xors(Reader(text, Invalid))
    reader = Reader(output)
    if reader.word("the answer", ("YES", "NO"), any_case=True) == "no":
        reader.end()
        if reduce(xor, rows) == reduce(xor, columns):
            reader.refuse("there is such a matrix, the output says NO")
        return
    matrix = [reader.integers(len(columns), 0, 2 * _MOST, f"a number of row {row}") for row in range(1, len(rows) + 1)]
    reader.end()
    for number, (row, asked) in enumerate(zip(matrix, rows, strict=True), 1):
        if reduce(xor, row) != asked:
            reader.refuse(f"the xor of row {number} is {reduce(xor, row)}, not {asked}")
    for number, (column, asked) in enumerate(zip(zip(*matrix, strict=True), columns, strict=True), 1):
        if reduce(xor, column) != asked:
            reader.refuse(f"the xor of column {number} is {reduce(xor, column)}, not {asked}")


def _xors(reader: Reader) -> tuple[list[int], list[int]]:
    n = reader.integer(2, 100, "n")
    m = reader.integer(2, 100, "m")
    return reader.integers(n, 0, _MOST, "a"), reader.integers(m, 0, _MOST, "b")
