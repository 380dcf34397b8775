"""1591_C: the minimum distance to deliver all bags; one right answer."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 2 * 10**5
_FARTHEST = 10**9


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, 10500, "t")):
        n = reader.integer(1, _MOST, "n")
        reader.integer(1, n, "k")
        total += n
        if total > _MOST:
            reader.refuse(f"the sum of n over all test cases is over {_MOST}")
        reader.integers(n, -_FARTHEST, _FARTHEST, "x")
    reader.end()
