"""217: the vertices and edges of a graph that can be."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 10**5, "n")
    reader.integer(0, n * (n - 1) // 2, "m")
    reader.end()
