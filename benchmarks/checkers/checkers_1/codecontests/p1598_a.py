"""1598_A: whether the level can be completed; one right answer."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 100, "t")):
        n = reader.integer(3, 100, "n")
        upper, lower = reader.string("01", n, n, "row 1"), reader.string("01", n, n, "row 2")
        if upper[0] == "1":
            reader.refuse("cell (1, 1) is not safe")
        if lower[-1] == "1":
            reader.refuse("cell (2, n) is not safe")
    reader.end()
