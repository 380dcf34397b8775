"""136: the parents in a tree whose root has two children at least."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(3, 1000, "n")
    parents = [reader.integer(1, place, f"p{place}") for place in range(1, n)]
    reader.end()
    if parents.count(1) < 2:
        reader.refuse("the root has one child only")
