"""1575_M: a sum of squared distances, which are integers."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(0, 1999, "n")
    m = reader.integer(0, 1999, "m")
    poles = sum(reader.string("01", m + 1, m + 1, "a row").count("1") for _ in range(n + 1))
    if not poles:
        reader.refuse("there is no telephone pole")
    reader.end()
