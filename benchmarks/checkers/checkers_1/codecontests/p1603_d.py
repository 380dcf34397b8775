"""1603_D: one right number for each n and k."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 3 * 10**5, "t")):
        reader.integer(1, reader.integer(1, 10**5, "n"), "k")
    reader.end()
