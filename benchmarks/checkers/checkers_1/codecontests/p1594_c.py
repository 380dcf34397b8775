"""1594_C: the fewest operations, and numbers x for them that leave only the character c."""

import math
import string

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 3 * 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, 10**4, "t")):
        n = reader.integer(3, _MOST, "n")
        total += n
        if total > _MOST:
            reader.refuse(f"the sum of n over all test cases is over {_MOST}")
        reader.string(string.ascii_lowercase, 1, 1, "c")
        reader.string(string.ascii_lowercase, n, n, "s")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, 10**4, "t") + 1):
        n = given.integer(3, _MOST, "n")
        goal, word = given.word("c"), given.word("s")
        fewest = _fewest(word, goal)
        count = reader.integer(0, n, f"m of case {case}")
        if count != fewest:
            reader.refuse(f"case {case}: m is {count}, but the minimum is {fewest}")
        chosen = reader.integers(count, 1, n, f"x of case {case}")
        if not _is_clean(word, goal, math.lcm(*chosen)):
            reader.refuse(f"case {case}: characters other than {goal} are left after the operations {chosen}")
    reader.end()


def _fewest(word: str, goal: str) -> int:
    if _is_clean(word, goal, 1):
        return 0
    return 1 if any(_is_clean(word, goal, x) for x in range(2, len(word) + 1)) else 2


def _is_clean(word: str, goal: str, step: int) -> bool:
    """Return whether the goal stands at every position that ``step`` divides; operations do not reach only these."""
    if step > len(word):
        return True
    if word[step - 1] != goal:
        return False
    reached = word[step - 1 :: step]
    return reached.count(goal) == len(reached)
