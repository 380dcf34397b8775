"""826: the skills of students and a number of teams."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 5000, "n")
    reader.integer(1, n, "k")
    reader.integers(n, 1, 10**9, "a")
    reader.end()
