"""869: at most 100,000 sums and xors of numbers on the board, which starts with x, that write 1."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_HIGHEST = 5 * 10**18


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    x = _start(reader)
    reader.end()
    if x % 2 == 0:
        reader.refuse(f"x is {x}, which is not odd")


def check(text: str, output: str, expected: str) -> None:
    board = {_start(Reader(text, Invalid))}
    reader = Reader(output)
    for number in range(1, reader.integer(0, 100_000, "q") + 1):
        one = reader.integer(0, _HIGHEST, f"a of operation {number}")
        operation = reader.word(f"the symbol of operation {number}", ("+", "^"))
        other = reader.integer(0, _HIGHEST, f"b of operation {number}")
        if one not in board or other not in board:
            reader.refuse(f"operation {number} takes {one if one not in board else other}, which is not on the board")
        written = one + other if operation == "+" else one ^ other
        if written > _HIGHEST:
            reader.refuse(f"operation {number} writes {written}, over {_HIGHEST}")
        board.add(written)
    reader.end()
    if 1 not in board:
        reader.refuse("1 is not on the board in the end")


def _start(reader: Reader) -> int:
    return reader.integer(3, 999_999, "x")
