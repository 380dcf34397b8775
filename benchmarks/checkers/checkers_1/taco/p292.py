"""292: a number and the rank of a divisor."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integer(1, 10**15, "n")
    reader.integer(1, 10**9, "k")
    reader.end()
