"""133: a grid of directions that never lead out sideways, and the columns of balls."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 1000, "n")
    m = reader.integer(1, 1000, "m")
    k = reader.integer(1, 10**5, "k")
    for _ in range(n):
        row = reader.integers(m, 1, 3, "a")
        if row[0] == 3:
            reader.refuse("a row starts with 3")
        if row[-1] == 1:
            reader.refuse("a row ends with 1")
    reader.integers(k, 1, m, "c")
    reader.end()
