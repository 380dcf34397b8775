"""1579_B: at most n cyclic shifts of segments to the left that sort the array."""

from itertools import pairwise

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**9


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(_read_count(reader)):
        _read_array(reader)
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, _read_count(given) + 1):
        array = _read_array(given)
        n = len(array)
        for _ in range(reader.integer(0, n, f"k of case {case}")):
            left = reader.integer(1, n - 1, f"l of case {case}")
            right = reader.integer(left + 1, n, f"r of case {case}")
            offset = reader.integer(1, right - left, f"d of case {case}")
            segment = array[left - 1 : right]
            array[left - 1 : right] = segment[offset:] + segment[:offset]
        if any(one > other for one, other in pairwise(array)):
            reader.refuse(f"case {case}: the shifts do not sort the array")
    reader.end()


def _read_count(reader: Reader) -> int:
    return reader.integer(1, 1000, "t")


def _read_array(reader: Reader) -> list[int]:
    return reader.integers(reader.integer(2, 50, "n"), -_MOST, _MOST, "a_i")
