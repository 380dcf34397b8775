"""248: roads to cities of lower numbers."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, 2 * 10**5, "n")
    for place in range(2, n + 1):
        reader.integer(1, place - 1, f"p{place}")
    reader.end()
