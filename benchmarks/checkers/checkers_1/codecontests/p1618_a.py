"""1618_A: the three numbers, in any order, whose seven sums are given."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 5000
_MOST = 10**9


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        sums = reader.integers(7, 1, _MOST, "b")
        if sums != sorted(sums):
            reader.refuse("the b are not in ascending order")
        if _sums(sums[0], sums[1], sums[6] - sums[0] - sums[1]) != sums:
            reader.refuse("no array a yields the array b")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        sums = given.integers(7, 1, _MOST, "b")
        a, b, c = reader.integers(3, 1, _MOST, f"a number of case {case}")
        if _sums(a, b, c) != sums:
            reader.refuse(f"case {case}: the sums of {a}, {b} and {c} are not the given ones")
    reader.end()


def _sums(a: int, b: int, c: int) -> list[int]:
    return sorted((a, b, c, a + b, a + c, b + c, a + b + c))
