"""388: strings of a and *, and ranks that are not over the number of their replacements."""

from math import prod

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    length = 0
    for _ in range(reader.integer(1, 2000, "t")):
        n = reader.integer(1, 2000, "n")
        k = reader.integer(0, 2000, "k")
        rank = reader.integer(1, 10**18, "x")
        pattern = reader.string("a*", n, n, "s")
        length += n
        if length > 2000:
            reader.refuse("the sum of n over all test cases is over 2000")
        if "a" not in pattern:
            reader.refuse("s has no a")
        if rank > prod(len(stars) * k + 1 for stars in pattern.split("a")):
            reader.refuse("x is over the number of different strings")
    reader.end()
