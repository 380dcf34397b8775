"""1601_A: all possible values of k in increasing order; one right answer."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 200000


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, 10**4, "t")):
        n = reader.integer(1, _MOST, "n")
        total += n
        if total > _MOST:
            reader.refuse(f"the sum of n over all test cases is over {_MOST}")
        reader.integers(n, 0, 2**30 - 1, "a")
    reader.end()
