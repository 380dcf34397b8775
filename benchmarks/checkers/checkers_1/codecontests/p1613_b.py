"""1613_B: n / 2 different pairs of different elements x and y, x mod y being no element."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 10**4
_LONGEST = 2 * 10**5
_MOST = 10**6


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        n = reader.integer(2, _LONGEST, "n")
        total += n
        if total > _LONGEST:
            reader.refuse(f"the sum of n over all test cases is over {_LONGEST}")
        if len(set(reader.integers(n, 1, _MOST, "a"))) < n:
            reader.refuse("the numbers of a test case are not distinct")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n = given.integer(2, _LONGEST, "n")
        elements = set(given.integers(n, 1, _MOST, "a"))
        pairs = set()
        for pair in range(1, n // 2 + 1):
            x, y = reader.integers(2, 1, _MOST, f"a number of pair {pair} of case {case}")
            if x == y or x not in elements or y not in elements:
                reader.refuse(f"case {case}: {x} and {y} are not two elements of the sequence")
            if x % y in elements:
                reader.refuse(f"case {case}: {x} mod {y} is {x % y}, an element of the sequence")
            if (x, y) in pairs:
                reader.refuse(f"case {case}: the pair {x} {y} stands twice")
            pairs.add((x, y))
    reader.end()
