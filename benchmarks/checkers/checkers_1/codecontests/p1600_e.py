"""1600_E: the winner of the game; one right answer."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integers(reader.integer(1, 2 * 10**5, "N"), 0, 10**9, "A")
    reader.end()
