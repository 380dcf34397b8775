"""1618_B: a word of n letters a and b whose pairs of neighbours, but for one, are the given ones."""

from itertools import pairwise

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 2000
_MOST = 100
_PAIRS = ("aa", "ab", "ba", "bb")


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        n = reader.integer(3, _MOST, "n")
        pairs = [reader.word("a bigram", _PAIRS) for _ in range(n - 2)]
        if sum(one[1] != other[0] for one, other in pairwise(pairs)) > 1:
            reader.refuse("no word has these bigrams, but for one")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n = given.integer(3, _MOST, "n")
        pairs = [given.word("a bigram", _PAIRS) for _ in range(n - 2)]
        word = reader.string("ab", n, n, f"the word of case {case}")
        of_word = [word[place : place + 2] for place in range(n - 1)]
        if _common(pairs, of_word) + _common(pairs[::-1], of_word[::-1]) < n - 2:
            reader.refuse(f"case {case}: the bigrams of {word} without one are not the given ones")
    reader.end()


def _common(one: list[str], other: list[str]) -> int:
    """Return how many first items are the same in both lists."""
    shorter = min(len(one), len(other))
    return next((place for place in range(shorter) if one[place] != other[place]), shorter)
