"""773: junctions, roads between different ones, and taxis."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 1000, "n")
    m = reader.integer(0, 1000, "m")
    reader.integers(2, 1, n, "x or y")
    for _ in range(m):
        one, other = reader.integer(1, n, "u"), reader.integer(1, n, "v")
        if one == other:
            reader.refuse(f"a road joins junction {one} with itself")
        reader.integer(1, 10**9, "w")
    reader.integers(2 * n, 1, 10**9, "t or c")
    reader.end()
