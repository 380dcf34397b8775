"""863: operations on strings of the first six letters, no two on the same two letters."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integer(2, 6, "n")
    taken = []
    for _ in range(reader.integer(1, 36, "q")):
        taken.append(reader.string("abcdef", 2, 2, "a"))
        reader.string("abcdef", 1, 1, "b")
    reader.end()
    if len(set(taken)) < len(taken):
        reader.refuse("the strings a are not distinct")
