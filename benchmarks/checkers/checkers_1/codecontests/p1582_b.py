"""1582_B: the number of subsequences whose sum is one less than the sum of a."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 1000, "t")):
        reader.integers(reader.integer(1, 60, "n"), 0, 10**9, "a number of a")
    reader.end()
