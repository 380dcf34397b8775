"""1581_B: YES or NO, whether a simple connected graph of diameter below k - 1 exists."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 10**5, "t")):
        reader.integer(1, 10**9, "n")
        reader.integer(0, 10**9, "m")
        reader.integer(0, 10**9, "k")
    reader.end()
