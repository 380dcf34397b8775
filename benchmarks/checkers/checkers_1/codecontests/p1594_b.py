"""1594_B: the k-th special number modulo 1e9 + 7; one right answer."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 10**4, "t")):
        reader.integer(2, 10**9, "n")
        reader.integer(1, 10**9, "k")
    reader.end()
