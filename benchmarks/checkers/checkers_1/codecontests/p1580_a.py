"""1580_A: the fewest operations."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 400


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    rows = columns = 0
    for _ in range(reader.integer(1, 10**9, "t")):
        n = reader.integer(5, _MOST, "n")
        m = reader.integer(4, _MOST, "m")
        rows += n
        columns += m
        if rows > _MOST:
            reader.refuse(f"the sum of n over all test cases is over {_MOST}")
        if columns > _MOST:
            reader.refuse(f"the sum of m over all test cases is over {_MOST}")
        for _ in range(n):
            reader.string("01", m, m, "a row")
    reader.end()
