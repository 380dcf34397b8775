"""1579_A: whether the string can be erased, in any case."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 1000, "t")):
        reader.string("ABC", 1, 50, "s")
    reader.end()
