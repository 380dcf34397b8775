"""1579_E2: the fewest inversions."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 2 * 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, 1000, "t")):
        n = reader.integer(1, _MOST, "n")
        total += n
        if total > _MOST:
            reader.refuse(f"the sum of n over all test cases is over {_MOST}")
        reader.integers(n, -(10**9), 10**9, "a_i")
    reader.end()
