"""1607_G: the least balance, and how much fish and meat of each dish is eaten for it."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 10**4
_MOST_DISHES = 2 * 10**5
_MOST = 10**6


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    dishes = 0
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        n, m = reader.integer(1, _MOST_DISHES, "n"), reader.integer(0, _MOST, "m")
        dishes += n
        if dishes > _MOST_DISHES:
            reader.refuse(f"the sum of n over all test cases is over {_MOST_DISHES}")
        for _ in range(n):
            fish, meat = reader.integer(0, _MOST, "a"), reader.integer(0, _MOST, "b")
            if fish + meat < m:
                reader.refuse(f"a dish weighs {fish + meat}, less than m, {m}")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n, m = given.integer(1, _MOST_DISHES, "n"), given.integer(0, _MOST, "m")
        dishes = [(given.integer(0, _MOST, "a"), given.integer(0, _MOST, "b")) for _ in range(n)]
        least = _least_balance(dishes, m)
        claimed = reader.integer(0, _MOST * n, f"the balance of case {case}")
        if claimed != least:
            reader.refuse(f"case {case}: the balance is {claimed}, not {least}")
        balance = 0
        for dish, (fish, meat) in enumerate(dishes, 1):
            x = reader.integer(0, fish, f"x of dish {dish} of case {case}")
            y = reader.integer(0, meat, f"y of dish {dish} of case {case}")
            if x + y != m:
                reader.refuse(f"case {case}: {x} and {y} eaten of dish {dish} do not add up to {m}")
            balance += (fish - x) - (meat - y)
        if abs(balance) != least:
            reader.refuse(f"case {case}: what is eaten leaves the balance {abs(balance)}, not {least}")
    reader.end()


def _least_balance(dishes: list[tuple[int, int]], m: int) -> int:
    """Return the balance nearest to zero: a gram of fish eaten rather than of meat makes the difference less by 2."""
    most = sum(fish - max(0, m - meat) - meat + min(m, meat) for fish, meat in dishes)
    least = sum(fish - min(m, fish) - meat + max(0, m - fish) for fish, meat in dishes)
    if least >= 0:
        return least
    return -most if most <= 0 else most % 2
