"""439: cups of coffee and pages."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 100, "n")
    reader.integer(1, 10**4, "m")
    reader.integers(n, 1, 100, "a")
    reader.end()
