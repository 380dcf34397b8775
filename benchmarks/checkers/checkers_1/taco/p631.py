"""631: permutations."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    length = 0
    for _ in range(reader.integer(1, 1000, "q")):
        n = reader.integer(1, 2 * 10**5, "n")
        length += n
        if length > 2 * 10**5:
            reader.refuse("the sum of n over all queries is over 200000")
        permutation = reader.integers(n, 1, n, "p")
        if len(set(permutation)) < len(permutation):
            reader.refuse("the numbers of p are not distinct")
    reader.end()
