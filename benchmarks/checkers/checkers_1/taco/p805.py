"""805: the numbers of rocks, scissors and papers."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integers(3, 1, 100, "r, s or p")
    reader.end()
