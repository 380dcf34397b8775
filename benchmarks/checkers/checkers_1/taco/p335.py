"""335: what is eaten of each dish, so that the fewest different dishes remain."""

from collections import defaultdict

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**6
_MOST_IN_ALL = 2 * 10**5

Dishes = list[tuple[int, int, int]]


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    dishes = 0
    for _ in range(reader.integer(1, 10**4, "t")):
        dishes += len(_dishes(reader))
        if dishes > _MOST_IN_ALL:
            reader.refuse("the sum of n over all test cases is over 200000")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, 10**4, "t") + 1):
        dishes = _dishes(given)
        least = _least(dishes)
        variety = reader.integer(1, len(dishes), f"the variety of case {case}")
        if variety != least:
            reader.refuse(f"case {case}: the variety is {variety}, the least is {least}")
        remains: set[tuple[int, int]] = set()
        for number, (fish, meat, eaten) in enumerate(dishes, 1):
            fish_eaten = reader.integer(0, fish, f"x of dish {number} of case {case}")
            meat_eaten = reader.integer(0, meat, f"y of dish {number} of case {case}")
            if fish_eaten + meat_eaten != eaten:
                reader.refuse(f"case {case}: {fish_eaten} and {meat_eaten} grams of dish {number} are not {eaten}")
            remains.add((fish - fish_eaten, meat - meat_eaten))
        if len(remains) != variety:
            reader.refuse(f"case {case}: {len(remains)} different dishes remain, not {variety}")
    reader.end()


def _dishes(reader: Reader) -> Dishes:
    dishes: Dishes = []
    for _ in range(reader.integer(1, _MOST_IN_ALL, "n")):
        fish = reader.integer(0, _MOST, "a")
        meat = reader.integer(0, _MOST, "b")
        dishes.append((fish, meat, reader.integer(0, fish + meat, "m")))
    return dishes


def _least(dishes: Dishes) -> int:
    """Return the fewest points that meet, for each weight that remains, the ranges of fish that may remain."""
    ranges: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for fish, meat, eaten in dishes:
        ranges[fish + meat - eaten].append((fish - max(0, eaten - meat), fish - min(fish, eaten)))
    points = 0
    for same in ranges.values():
        point = -1
        for high, low in sorted(same):
            if low > point:
                points += 1
                point = high
    return points
