"""1617_A: the lexicographically smallest permutation of S without the subsequence T."""

from itertools import permutations
from string import ascii_lowercase

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 1000, "t")):
        reader.string(ascii_lowercase, 1, 100, "S")
        reader.word("T", map("".join, permutations("abc")))
    reader.end()
