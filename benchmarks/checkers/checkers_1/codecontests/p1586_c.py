"""1586_C: YES or NO for each query, whether the columns are determinable."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_CELLS = 10**6


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, _CELLS, "n")
    m = reader.integer(1, _CELLS, "m")
    if n * m > _CELLS:
        reader.refuse(f"n * m is {n * m}, over {_CELLS}")
    for _ in range(n):
        reader.string("X.", m, m, "a row of the grid")
    for _ in range(reader.integer(1, 2 * 10**5, "q")):
        reader.integer(reader.integer(1, m, "x_1"), m, "x_2")
    reader.end()
