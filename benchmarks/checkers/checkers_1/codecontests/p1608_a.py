"""1608_A: n integers from 1 to 1e9, each above the one before it and not divisible by it."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 100
_LONGEST = 1000
_MOST_IN_ALL = 10**4
_MOST = 10**9


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        total += reader.integer(1, _LONGEST, "n")
        if total > _MOST_IN_ALL:
            reader.refuse(f"the sum of n over all test cases is over {_MOST_IN_ALL}")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        before = 0
        for place in range(1, given.integer(1, _LONGEST, "n") + 1):
            value = reader.integer(1, _MOST, f"a_{place} of case {case}")
            if value <= before:
                reader.refuse(f"case {case}: a_{place} is {value}, not above {before} before it")
            if before and value % before == 0:
                reader.refuse(f"case {case}: a_{place}, {value}, is divisible by {before} before it")
            before = value
    reader.end()
