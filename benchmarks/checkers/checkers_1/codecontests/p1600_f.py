"""1600_F: five people who are all friends or all strangers, or -1 if there are no such five."""

from itertools import combinations

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 2 * 10**5
_PARTY = 5
_ENOUGH = 48  # of so many people there are always five alike: the Ramsey number R(5, 5) is at most 48


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n, m = reader.integer(5, _MOST, "N"), reader.integer(0, _MOST, "M")
    pairs = set()
    for _ in range(m):
        one, other = sorted(reader.integers(2, 1, n, "U or V"))
        if one == other:
            reader.refuse(f"{one} is a friend of themselves")
        if (one, other) in pairs:
            reader.refuse(f"the friendship of {one} and {other} is repeated")
        pairs.add((one, other))
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    n, m = given.integer(5, _MOST, "N"), given.integer(0, _MOST, "M")
    pairs = [(given.integer(1, n, "U"), given.integer(1, n, "V")) for _ in range(m)]
    first = reader.integer(-1, n, "the answer")
    if first == -1:
        if _is_possible(n, pairs):
            reader.refuse("the answer is -1, but a successful party is possible")
    else:
        if first == 0:
            reader.refuse("person 1 is 0, not one of the people")
        _check_party(reader, pairs, {first, *reader.integers(_PARTY - 1, 1, n, "a person")})
    reader.end()


def _check_party(reader: Reader, pairs: list[tuple[int, int]], party: set[int]) -> None:
    if len(party) < _PARTY:
        reader.refuse("a person is invited twice")
    friendships = sum(one in party and other in party for one, other in pairs)
    if 0 < friendships < _PARTY * (_PARTY - 1) // 2:
        reader.refuse(f"the party has {friendships} pairs of friends, neither all nor none")


def _is_possible(n: int, pairs: list[tuple[int, int]]) -> bool:
    """Look for five alike among the first people, as bits of integers."""
    people = min(n, _ENOUGH)
    friends = [0] * people
    for one, other in pairs:
        if max(one, other) <= people:
            friends[one - 1] |= 1 << other - 1
            friends[other - 1] |= 1 << one - 1
    strangers = [~known & (1 << people) - 1 & ~(1 << person) for person, known in enumerate(friends)]
    return _has_five(friends) or _has_five(strangers)


def _has_five(alike: list[int]) -> bool:
    for one, two, three in combinations(range(len(alike)), 3):
        if alike[one] >> two & 1 and alike[one] >> three & 1 and alike[two] >> three & 1:
            common = alike[one] & alike[two] & alike[three]
            if any(common >> four & 1 and alike[four] & common for four in range(three + 1, len(alike))):
                return True
    return False
