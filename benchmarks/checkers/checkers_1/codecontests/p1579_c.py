"""1579_C: whether ticks make the field, in any case."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 100, "t")):
        n = reader.integer(1, 10, "n")
        m = reader.integer(1, 19, "m")
        reader.integer(1, n, "k")
        for _ in range(n):
            reader.string(".*", m, m, "a row")
    reader.end()
