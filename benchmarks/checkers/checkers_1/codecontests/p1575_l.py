"""1575_L: the largest number of indices with a_i = i."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 2 * 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integers(reader.integer(1, _MOST, "n"), 1, _MOST, "a_i")
    reader.end()
