"""1575_J: the column of each ball, in the order of the balls."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 1000, "n")
    m = reader.integer(1, 1000, "m")
    k = reader.integer(1, 10**5, "k")
    for row in range(1, n + 1):
        ways = reader.integers(m, 1, 3, "a_ij")
        if ways[0] == 3:
            reader.refuse(f"a_{row},1 is 3, which leads out of the grid")
        if ways[-1] == 1:
            reader.refuse(f"a_{row},m is 1, which leads out of the grid")
    reader.integers(k, 1, m, "c_i")
    reader.end()
