"""1591_F: the number of arrays without equal neighbours, modulo 998244353; one right answer."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integers(reader.integer(1, 2 * 10**5, "n"), 1, 10**9, "a")
    reader.end()
