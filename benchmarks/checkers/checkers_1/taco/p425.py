"""425: segments whose ends are all different."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 5 * 10**5, "n")
    ends = []
    for _ in range(n):
        ends.append(reader.integer(1, 2 * n, "l"))
        ends.append(reader.integer(ends[-1] + 1, 2 * n, "r"))
    reader.end()
    if len(set(ends)) < len(ends):
        reader.refuse("the ends are not distinct")
