"""45: credit offers."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 500, "n")):
        reader.integers(3, 1, 10**9, "a number of an offer")
    reader.end()
