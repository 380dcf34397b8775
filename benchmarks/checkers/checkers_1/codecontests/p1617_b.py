"""1617_B: three distinct positive integers a, b, c with a + b + c = n and gcd(a, b) = c."""

from math import gcd

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 10**5
_MOST = 10**9


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        reader.integer(10, _MOST, "n")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n = given.integer(10, _MOST, "n")
        a, b, c = (reader.integer(1, n, f"{name} of case {case}") for name in "abc")
        if len({a, b, c}) < 3:
            reader.refuse(f"case {case}: {a}, {b} and {c} are not distinct")
        if a + b + c != n:
            reader.refuse(f"case {case}: {a}, {b} and {c} do not add up to {n}")
        if gcd(a, b) != c:
            reader.refuse(f"case {case}: the greatest common divisor of {a} and {b} is not {c}")
    reader.end()
