"""1594_A: l < r with l + (l + 1) + ... + r = n, at most 1e18 either way from zero."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**18


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 10**4, "t")):
        reader.integer(1, _MOST, "n")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, 10**4, "t") + 1):
        n = given.integer(1, _MOST, "n")
        low = reader.integer(-_MOST, _MOST, f"l of case {case}")
        high = reader.integer(-_MOST, _MOST, f"r of case {case}")
        if low >= high:
            reader.refuse(f"case {case}: l = {low} is not below r = {high}")
        if (low + high) * (high - low + 1) != 2 * n:
            reader.refuse(f"case {case}: the numbers from {low} to {high} do not add up to {n}")
    reader.end()
