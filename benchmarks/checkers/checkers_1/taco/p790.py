"""790: parents of a rooted tree, which differ from those given in as few places as can be."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 200_000


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    _sequence(reader)
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given = _sequence(Reader(text, Invalid))
    n = len(given) - 1
    cycles, loops = _cycles(given)
    least = cycles - min(loops, 1)
    reader = Reader(output)
    changes = reader.integer(0, n, "the number of changes")
    if changes != least:
        reader.refuse(f"the number of changes is {changes}, the least is {least}")
    parents = [0, *reader.integers(n, 1, n, "p")]
    reader.end()
    differ = sum(one != other for one, other in zip(given, parents, strict=True))
    if differ != changes:
        reader.refuse(f"{differ} elements are changed, not {changes}")
    if _cycles(parents) != (1, 1):
        reader.refuse("the sequence describes no rooted tree")


def _sequence(reader: Reader) -> list[int]:
    """Return the sequence, from place 1."""
    n = reader.integer(2, _MOST, "n")
    return [0, *reader.integers(n, 1, n, "a")]


def _cycles(parents: list[int]) -> tuple[int, int]:
    """Return how many cycles the way from each vertex to its parent ends in, and how many of them are loops."""
    walks = [0] * len(parents)
    cycles = loops = 0
    for start in range(1, len(parents)):
        vertex = start
        while not walks[vertex]:
            walks[vertex] = start
            vertex = parents[vertex]
        if walks[vertex] == start:
            cycles += 1
            loops += parents[vertex] == vertex
    return cycles, loops
