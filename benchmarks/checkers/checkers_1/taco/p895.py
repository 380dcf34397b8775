"""895: levels of two rows whose first and last cells are safe."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 100, "t")):
        n = reader.integer(3, 100, "n")
        rows = [reader.string("01", n, n, "a row") for _ in range(2)]
        if rows[0][0] == "1" or rows[1][-1] == "1":
            reader.refuse("cell (1, 1) or cell (2, n) is a trap")
    reader.end()
