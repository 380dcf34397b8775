"""550: permutations, and prefixes that are sorted with probabilities of at most 6 digits after the point."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    lengths = experiments = 0
    for _ in range(reader.integer(1, 100, "t")):
        n = reader.integer(1, 10**5, "n")
        m = reader.integer(1, 10**5, "m")
        lengths += n
        experiments += m
        if lengths > 10**5 or experiments > 10**5:
            reader.refuse("the sum of n or of m over all test cases is over 100000")
        permutation = reader.integers(n, 1, n, "a")
        if len(set(permutation)) < len(permutation):
            reader.refuse("the numbers of a are not distinct")
        for _ in range(m):
            reader.integer(1, n, "r")
            word = reader.word("p")
            Reader(word, Invalid).decimal(0, 1, "p")
            if len(word.partition(".")[2]) > 6:
                reader.refuse("p has over 6 digits after the point")
    reader.end()
