"""592: the lengths of permutations."""

from turnwise.benchmarks.checkers.library import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    length = 0
    for _ in range(reader.integer(1, 10**5, "t")):
        length += reader.integer(1, 10**5, "n")
        if length > 10**5:
            reader.refuse("the sum of n over all test cases is over 100000")
    reader.end()
