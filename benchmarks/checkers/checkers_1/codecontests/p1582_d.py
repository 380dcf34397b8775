"""1582_D: n numbers, none zero, whose products with a add up to 0 and whose absolute values add up to 1e9 at most."""

from collections.abc import Iterator

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**9
_LENGTHS = 2 * 10**5


def validate(text: str) -> None:
    for _ in _arrays(text):
        pass


def check(text: str, output: str, expected: str) -> None:
    reader = Reader(output)
    for case, a in enumerate(_arrays(text), 1):
        total = size = 0
        for factor in a:
            b = reader.integer(-_MOST, _MOST, f"a number of b in case {case}")
            if b == 0:
                reader.refuse(f"case {case}: b holds 0")
            total += factor * b
            size += abs(b)
        if size > _MOST:
            reader.refuse(f"case {case}: the absolute values of b add up to {size}, over {_MOST}")
        if total != 0:
            reader.refuse(f"case {case}: the products add up to {total}, not 0")
    reader.end()


def _arrays(text: str) -> Iterator[list[int]]:
    reader = Reader(text, Invalid)
    lengths = 0
    for _ in range(reader.integer(1, 100, "t")):
        n = reader.integer(2, 10**5, "n")
        lengths += n
        if lengths > _LENGTHS:
            reader.refuse(f"the sum of n over all test cases is over {_LENGTHS}")
        a = reader.integers(n, -(10**4), 10**4, "a number of a")
        if 0 in a:
            reader.refuse("a holds 0")
        yield a
    reader.end()
