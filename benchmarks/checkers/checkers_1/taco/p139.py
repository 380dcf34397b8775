"""139: a permutation and queries, one of the second type at least."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 10**5, "n")
    q = reader.integer(1, 10**5, "q")
    permutation = reader.integers(n, 1, n, "p")
    if len(set(permutation)) < len(permutation):
        reader.refuse("the numbers of p are not distinct")
    asked = 0
    for _ in range(q):
        kind = reader.integer(1, 2, "t")
        one, other = reader.integer(1, n, "x or i"), reader.integer(1, n, "y or k")
        if kind == 1 and one == other:
            reader.refuse(f"x and y are both {one}")
        asked += kind == 2
    reader.end()
    if not asked:
        reader.refuse("no query is of the second type")
