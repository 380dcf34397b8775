"""1622_A: YES or NO, whether the sticks of each test case make a rectangle."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 10**4, "t")):
        reader.integers(3, 1, 10**8, "l")
    reader.end()
