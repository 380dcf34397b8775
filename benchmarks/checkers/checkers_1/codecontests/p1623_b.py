"""1623_B: every range of Alice once, in any order, with the number that Bob picked in it."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 1000
_MOST = 1000


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        n = reader.integer(1, _MOST, "n")
        total += n
        if total > _MOST:
            reader.refuse(f"the sum of n over all test cases is over {_MOST}")
        ranges = set()
        for _ in range(n):
            low, high = reader.integer(1, n, "l"), reader.integer(1, n, "r")
            if low > high:
                reader.refuse(f"l = {low} is over r = {high}")
            ranges.add((low, high))
        if len(_picks(ranges, n)) < n:
            reader.refuse("the ranges are not from a valid game")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n = given.integer(1, _MOST, "n")
        picks = _picks({(given.integer(1, n, "l"), given.integer(1, n, "r")) for _ in range(n)}, n)
        for _ in range(n):
            low, high, number = (reader.integer(1, n, f"{name} of case {case}") for name in "lrd")
            pick = picks.pop((low, high), 0)
            if not pick:
                reader.refuse(f"case {case}: {low} {high} is none of Alice's ranges, or stands twice")
            if number != pick:
                reader.refuse(f"case {case}: in {low} {high} Bob picked {pick}, not {number}")
    reader.end()


def _picks(ranges: set[tuple[int, int]], n: int) -> dict[tuple[int, int], int]:
    """Return the number picked in each range of a game from 1 to n; fewer than n of them if there is no such game."""
    picks: dict[tuple[int, int], int] = {}
    waiting = [(1, n)]
    while waiting:
        low, high = waiting.pop()
        if low > high:
            continue
        for number in range(low, high + 1):
            left, right = (low, number - 1), (number + 1, high)
            if (number == low or left in ranges) and (number == high or right in ranges):
                picks[low, high] = number
                waiting += [left, right]
                break
    return picks if ranges == set(picks) else {}
