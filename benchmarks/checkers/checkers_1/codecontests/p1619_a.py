"""1619_A: YES or NO, whether each string is square."""

from string import ascii_lowercase

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 100, "t")):
        reader.string(ascii_lowercase, 1, 100, "s")
    reader.end()
