"""1579_G: the least length of the coverage."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**4


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, 1000, "t")):
        n = reader.integer(1, _MOST, "n")
        total += n
        if total > _MOST:
            reader.refuse(f"the sum of n over all test cases is over {_MOST}")
        reader.integers(n, 1, 1000, "a_i")
    reader.end()
