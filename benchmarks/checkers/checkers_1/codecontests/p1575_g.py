"""1575_G: a sum over all pairs modulo 10^9 + 7."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integers(reader.integer(2, 10**5, "n"), 1, 10**5, "a_i")
    reader.end()
