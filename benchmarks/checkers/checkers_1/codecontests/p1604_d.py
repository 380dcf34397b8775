"""1604_D: n from 1 to 2e18 with n mod x = y mod n."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 10**5
_MOST_GIVEN = 10**9
_MOST = 2 * 10**18


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        for name in "xy":
            value = reader.integer(2, _MOST_GIVEN, name)
            if value % 2:
                reader.refuse(f"{name} is {value}, not even")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        x, y = given.integers(2, 2, _MOST_GIVEN, "x or y")
        n = reader.integer(1, _MOST, f"n of case {case}")
        if n % x != y % n:
            reader.refuse(f"case {case}: {n} mod {x} is {n % x}, but {y} mod {n} is {y % n}")
    reader.end()
