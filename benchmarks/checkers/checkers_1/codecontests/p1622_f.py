"""1622_F: numbers up to n, as many as the reference has, whose factorials' product is a square."""

from itertools import accumulate
from math import isqrt
from operator import xor

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**6


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integer(1, _MOST, "n")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    n = Reader(text, Invalid).integer(1, _MOST, "n")
    reader = Reader(output)
    size = reader.integer(1, n, "the size")
    best = Reader(expected).integer(1, n, "the size")
    if size < best:
        reader.refuse(f"the size is {size}, not {best}")
    chosen = bytearray(n + 1)
    for _ in range(size):
        number = reader.integer(1, n, "a number")
        if chosen[number]:
            reader.refuse(f"{number} stands twice")
        chosen[number] = 1
    reader.end()
    prime = _odd_prime_power(chosen)
    if prime:
        reader.refuse(f"the product of the factorials is no square: it holds {prime} to an odd power")
    if size > best:
        reader.refuse(f"the size is {size}, and the reference is worse: {best}")


def _odd_prime_power(chosen: bytearray) -> int:
    """Return a prime that the product of the factorials of the chosen numbers holds to an odd power, or 0."""
    n = len(chosen) - 1
    # A factor j is in the factorial of every chosen number from j on.
    odd = bytearray(accumulate(reversed(chosen), xor))[::-1]
    for prime in _primes(n):
        power, count = prime, 0
        while power <= n:
            count += odd[power::power].count(1)
            power *= prime
        if count % 2:
            return prime
    return 0


def _primes(n: int) -> list[int]:
    sieve = bytearray([1]) * (n + 1)
    for factor in range(2, isqrt(n) + 1):
        if sieve[factor]:
            sieve[factor * factor :: factor] = bytes(len(range(factor * factor, n + 1, factor)))
    return [number for number in range(2, n + 1) if sieve[number]]
