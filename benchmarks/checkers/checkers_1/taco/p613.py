"""613: the length of permutations."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integer(3, 10**6, "n")
    reader.end()
