"""683: balls of k colours, at most 1000 in all."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    k = reader.integer(1, 1000, "k")
    if sum(reader.integers(k, 1, 1000, "c")) > 1000:
        reader.refuse("there are over 1000 balls")
    reader.end()
