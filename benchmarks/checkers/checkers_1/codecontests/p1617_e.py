"""1617_E: two chocolates that need the most exchanges of all pairs, and how many these are."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 2 * 10**5
_MOST_TYPE = 10**9
_MOST_EXCHANGES = 10**9
_NEAR = 2**10


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    types = reader.integers(reader.integer(2, _MOST, "n"), 0, _MOST_TYPE, "a")
    if len(set(types)) < len(types):
        reader.refuse("the a are not distinct")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    n = given.integer(2, _MOST, "n")
    types = given.integers(n, 0, _MOST_TYPE, "a")
    x, y = reader.integer(1, n, "x"), reader.integer(1, n, "y")
    m = reader.integer(0, _MOST_EXCHANGES, "m")
    reader.end()
    if x == y:
        reader.refuse(f"x and y are both {x}")
    distance = _distances(types[x - 1], [types[y - 1]])[0]
    if distance != m:
        reader.refuse(f"chocolates {x} and {y} need {distance} exchanges, not {m}")
    from_zero = _distances(0, types)
    end = types[from_zero.index(max(from_zero))]
    most = max(_distances(end, types))
    if m != most:
        reader.refuse(f"{m} exchanges are not the most, which are {most}")


def _distances(source: int, types: list[int]) -> list[int]:
    """Return the number of exchanges between ``source`` and each of ``types``.

    Exchanges are the edges of a tree with the root 0, for exactly one exchange of a positive type makes it less.
    """
    rank: dict[int, int] = {}
    ancestor = source
    while ancestor:
        rank[ancestor] = len(rank)
        ancestor = _parent(ancestor)
    rank[0] = len(rank)
    near = [rank[0]] * _NEAR
    for one in range(1, _NEAR):
        near[one] = rank[one] if one in rank else near[_parent(one)] + 1
    distances = []
    for one in types:
        steps = 0
        while one >= _NEAR and one not in rank:
            one = _parent(one)
            steps += 1
        distances.append(steps + (rank[one] if one in rank else near[one]))
    return distances


def _parent(one: int) -> int:
    """Return what the least possible exchange makes of a positive type."""
    return (1 << (one - 1).bit_length()) - one
