"""1575_C: a number of segments modulo 10^9 + 7."""

from math import isqrt

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 2 * 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, _MOST, "n")
    reader.integer(1, _MOST, "m")
    k = reader.integer(1, _MOST, "k")
    if any(k % divisor == 0 for divisor in range(2, isqrt(k) + 1)):
        reader.refuse(f"k is {k}, neither 1 nor a prime number")
    reader.integers(n, 0, _MOST, "a_i")
    reader.end()
