"""319: the parents and the colours of the vertices of a tree."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, 10**4, "n")
    for place in range(2, n + 1):
        reader.integer(1, place - 1, f"p{place}")
    reader.integers(n, 1, n, "c")
    reader.end()
