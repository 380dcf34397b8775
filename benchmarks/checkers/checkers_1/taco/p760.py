"""760: an array of three numbers at least."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(3, 10**5, "n")
    reader.integers(n, 1, 10**9, "a")
    reader.end()
