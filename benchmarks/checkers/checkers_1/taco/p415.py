"""415: a string of four letters."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 10**5, "n")
    reader.string("ACGT", n, n, "the string")
    reader.end()
