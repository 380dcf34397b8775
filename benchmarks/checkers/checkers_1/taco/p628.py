"""628: two chocolates as many exchanges apart as any two are, and that number: a distance in a tree with root 0."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    types = _types(reader)
    reader.end()
    if len(set(types)) < len(types):
        reader.refuse("the types are not distinct")


def check(text: str, output: str, expected: str) -> None:
    types = _types(Reader(text, Invalid))
    reader = Reader(output)
    one = reader.integer(1, len(types), "x")
    other = reader.integer(1, len(types), "y")
    number = reader.integer(0, 10**9, "m")
    reader.end()
    if one == other:
        reader.refuse(f"x and y are both {one}")
    apart = _distances(types[one - 1], [types[other - 1]])[0]
    if number != apart:
        reader.refuse(f"chocolates {one} and {other} are {apart} exchanges apart, not {number}")
    distances = _distances(types[0], types)
    most = max(_distances(types[distances.index(max(distances))], types))
    if apart != most:
        reader.refuse(f"chocolates {one} and {other} are {apart} exchanges apart, others are {most}")


def _types(reader: Reader) -> list[int]:
    n = reader.integer(2, 2 * 10**5, "n")
    return reader.integers(n, 0, 10**9, "a")


def _distances(start: int, types: list[int]) -> list[int]:
    """Return how many exchanges lead from ``start`` to each type: each goes to the one less neighbour or from it."""
    ups = {start: 0}
    while start:
        ups[(1 << (start - 1).bit_length()) - start] = ups[start] + 1
        start = (1 << (start - 1).bit_length()) - start
    distances: list[int] = []
    for value in types:
        steps = 0
        while value not in ups:
            value = (1 << (value - 1).bit_length()) - value
            steps += 1
        distances.append(steps + ups[value])
    return distances
