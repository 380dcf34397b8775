"""28: the nodes, edges and diameters of graphs."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 10**5, "t")):
        reader.integer(1, 10**9, "n")
        reader.integer(0, 10**9, "m")
        reader.integer(0, 10**9, "k")
    reader.end()
