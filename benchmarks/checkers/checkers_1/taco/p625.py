"""625: a grid of at most 1,000,000 cells, and ranges of its columns."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 10**6, "n")
    m = reader.integer(1, 10**6, "m")
    if n * m > 10**6:
        reader.refuse("n * m is over 1000000")
    for _ in range(n):
        reader.string("X.", m, m, "a row")
    for _ in range(reader.integer(1, 2 * 10**5, "q")):
        reader.integer(reader.integer(1, m, "x1"), m, "x2")
    reader.end()
