"""446: pairs of integers."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 50, "t")):
        reader.integer(1, 10**18, "p")
        reader.integer(2, 10**9, "q")
    reader.end()
