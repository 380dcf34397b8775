"""332: units of garbage and the size of a bag."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 2 * 10**5, "n")
    reader.integer(1, 10**9, "k")
    reader.integers(n, 0, 10**9, "a")
    reader.end()
