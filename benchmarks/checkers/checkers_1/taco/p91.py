"""91: the lower neighbour of each inflorescence."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, 100_000, "n")
    for place in range(2, n + 1):
        reader.integer(1, place - 1, f"p{place}")
    reader.end()
