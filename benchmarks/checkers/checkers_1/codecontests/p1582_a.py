"""1582_A: the least difference of the durations of two concerts."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 1000, "t")):
        reader.integers(3, 1, 10**9, "a number of songs")
    reader.end()
