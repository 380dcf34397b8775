"""1619_B: the number of squares and cubes up to each n."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integers(reader.integer(1, 20, "t"), 1, 10**9, "n")
    reader.end()
