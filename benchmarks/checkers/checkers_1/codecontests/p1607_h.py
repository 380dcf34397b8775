"""1607_H: the least variety, and how much fish and meat of each dish is eaten for it."""

from collections import defaultdict

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 10**4
_MOST_DISHES = 2 * 10**5
_MOST = 10**6


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    dishes = 0
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        n = reader.integer(1, _MOST_DISHES, "n")
        dishes += n
        if dishes > _MOST_DISHES:
            reader.refuse(f"the sum of n over all test cases is over {_MOST_DISHES}")
        for _ in range(n):
            _dish(reader)
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n = given.integer(1, _MOST_DISHES, "n")
        dishes = [_dish(given) for _ in range(n)]
        least = _least_variety(dishes)
        claimed = reader.integer(1, n, f"the variety of case {case}")
        if claimed != least:
            reader.refuse(f"case {case}: the variety is {claimed}, not {least}")
        left = set()
        for dish, (fish, meat, m) in enumerate(dishes, 1):
            x = reader.integer(0, fish, f"x of dish {dish} of case {case}")
            y = reader.integer(0, meat, f"y of dish {dish} of case {case}")
            if x + y != m:
                reader.refuse(f"case {case}: {x} and {y} eaten of dish {dish} do not add up to {m}")
            left.add((fish - x, meat - y))
        if len(left) != least:
            reader.refuse(f"case {case}: what is eaten leaves the variety {len(left)}, not {least}")
    reader.end()


def _dish(reader: Reader) -> tuple[int, int, int]:
    fish, meat = reader.integer(0, _MOST, "a"), reader.integer(0, _MOST, "b")
    return fish, meat, reader.integer(0, fish + meat, "m")


def _least_variety(dishes: list[tuple[int, int, int]]) -> int:
    """Return the fewest points that meet all ranges of fish left, taken apart by the weight left."""
    ranges: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for fish, meat, m in dishes:
        ranges[fish + meat - m].append((fish - max(0, m - meat), fish - min(m, fish)))
    points = 0
    for of_weight in ranges.values():
        point = -1
        for high, low in sorted(of_weight):
            if low > point:
                point = high
                points += 1
    return points
