"""1606_A: a string with as many ab as ba, the fewest letters away from s."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 1000
_LONGEST = 100


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        reader.string("ab", 1, _LONGEST, "s")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        s = given.string("ab", 1, _LONGEST, "s")
        changed = reader.string("ab", len(s), len(s), f"the string of case {case}")
        if changed.count("ab") != changed.count("ba"):
            reader.refuse(f"case {case}: {changed} holds ab {changed.count('ab')} and ba {changed.count('ba')} times")
        steps = sum(old != new for old, new in zip(s, changed, strict=True))
        # ab and ba take turns, so they are equally many where the first letter is the last one.
        if steps != (s[0] != s[-1]):
            reader.refuse(f"case {case}: {steps} letters of {s} are changed, more than needed")
    reader.end()
