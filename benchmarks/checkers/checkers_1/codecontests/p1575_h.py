"""1575_H: the fewest changes for each number of occurrences."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 500, "n")
    m = reader.integer(1, n, "m")
    reader.string("01", n, n, "a")
    reader.string("01", m, m, "b")
    reader.end()
