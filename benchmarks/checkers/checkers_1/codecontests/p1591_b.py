"""1591_B: the number of eversions until the array stops changing; one right answer."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 2 * 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, 100, "t")):
        n = reader.integer(1, _MOST, "n")
        total += n
        if total > _MOST:
            reader.refuse(f"the sum of n over all test cases is over {_MOST}")
        reader.integers(n, 1, 10**9, "a")
    reader.end()
