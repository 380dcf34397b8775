"""891: a sum and a xor."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integer(2, 10**12, "s")
    reader.integer(0, 10**12, "x")
    reader.end()
