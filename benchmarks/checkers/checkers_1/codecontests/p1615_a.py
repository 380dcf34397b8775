"""1615_A: the least ugliness of each row of buildings."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 1000, "t")):
        reader.integers(reader.integer(2, 100, "n"), 1, 10**7, "a")
    reader.end()
