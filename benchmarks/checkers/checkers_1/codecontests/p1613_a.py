"""1613_A: one right sign for each two numbers."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(2 * reader.integer(1, 10**4, "t")):
        reader.integer(1, 10**6, "x")
        reader.integer(0, 10**6, "p")
    reader.end()
