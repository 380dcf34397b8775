"""1582_F1: how many values the XOR of an increasing subsequence takes, and the values in increasing order."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integers(reader.integer(1, 10**5, "n"), 0, 500, "a number of a")
    reader.end()
