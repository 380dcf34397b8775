"""671: a pond, a scoop that fits in it and fishes that fit in it."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 10**5, "n")
    m = reader.integer(1, 10**5, "m")
    reader.integer(1, min(n, m), "r")
    reader.integer(1, min(n * m, 10**5), "k")
    reader.end()
