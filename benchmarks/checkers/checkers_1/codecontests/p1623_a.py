"""1623_A: the time until the robot cleans the cell in each test case."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 10**4, "t")):
        n, m = reader.integer(1, 100, "n"), reader.integer(1, 100, "m")
        for name in ("b", "d"):
            reader.integer(1, n, f"r_{name}")
            reader.integer(1, m, f"c_{name}")
    reader.end()
