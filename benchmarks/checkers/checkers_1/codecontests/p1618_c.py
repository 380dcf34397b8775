"""1618_C: a d that divides every second element and none of the others, or 0 if there is none."""

from itertools import pairwise
from math import gcd

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 1000
_MOST_ELEMENTS = 100
_MOST = 10**18


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        reader.integers(reader.integer(2, _MOST_ELEMENTS, "n"), 1, _MOST, "a")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        elements = given.integers(given.integer(2, _MOST_ELEMENTS, "n"), 1, _MOST, "a")
        d = reader.integer(0, _MOST, f"d of case {case}")
        if d and not _is_beautiful(elements, d):
            reader.refuse(f"case {case}: the coloring by {d} is not beautiful")
        if not d and any(_is_beautiful(elements, gcd(*elements[start::2])) for start in (0, 1)):
            reader.refuse(f"case {case}: the answer is 0, though there is such a d")
    reader.end()


def _is_beautiful(elements: list[int], d: int) -> bool:
    red = [element % d == 0 for element in elements]
    return all(one != other for one, other in pairwise(red))
