"""442: pairs of chemicals, the lower number first, each pair once."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 50, "n")
    pairs = []
    for _ in range(reader.integer(0, n * (n - 1) // 2, "m")):
        lower = reader.integer(1, n, "x")
        pairs.append((lower, reader.integer(lower + 1, n, "y")))
    reader.end()
    if len(set(pairs)) < len(pairs):
        reader.refuse("the pairs are not distinct")
