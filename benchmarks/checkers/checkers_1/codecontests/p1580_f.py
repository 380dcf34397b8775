"""1580_F: the number of plans modulo 998244353."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integer(2, 50000, "n")
    reader.integer(1, 10**9, "m")
    reader.end()
