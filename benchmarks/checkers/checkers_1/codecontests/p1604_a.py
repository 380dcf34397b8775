"""1604_A: one right number for each sequence."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 200, "t")):
        reader.integers(reader.integer(1, 100, "n"), 1, 10**9, "a")
    reader.end()
