"""1615_H: scores that satisfy every requirement with as few operations as the reference needs."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 1000
_MOST_SCORE = 10**9
_MOST_NEW_SCORE = 10**15


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n, m = reader.integer(2, _MOST, "n"), reader.integer(1, _MOST, "m")
    reader.integers(n, 1, _MOST_SCORE, "a")
    for _ in range(m):
        u, v = reader.integer(1, n, "u"), reader.integer(1, n, "v")
        if u == v:
            reader.refuse(f"u and v are both {u}")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    n, m = given.integer(2, _MOST, "n"), given.integer(1, _MOST, "m")
    scores = given.integers(n, 1, _MOST_SCORE, "a")
    requirements = [(given.integer(1, n, "u"), given.integer(1, n, "v")) for _ in range(m)]
    cost, least = _cost(reader, scores, requirements), _cost(Reader(expected), scores, requirements)
    if cost > least:
        reader.refuse(f"{cost} operations are made, not {least}")
    if cost < least:
        reader.refuse(f"{cost} operations are made, and the reference is worse: {least}")


def _cost(reader: Reader, scores: list[int], requirements: list[tuple[int, int]]) -> int:
    """Return how many operations lead to the scores that ``reader`` reads, which keep the requirements."""
    new = reader.integers(len(scores), -_MOST_NEW_SCORE, _MOST_NEW_SCORE, "b")
    reader.end()
    for u, v in requirements:
        if new[u - 1] > new[v - 1]:
            reader.refuse(f"the score of reindeer {u} is over the one of reindeer {v}")
    return sum(abs(one - other) for one, other in zip(scores, new, strict=True))
