"""1619_F by trying every way to seat few players, with tables of any size or with players at any seat."""

from itertools import product

_Game = list[list[int]]


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    halves = [
        [[player for player in range(1, 6) if at[player - 1] == table] for table in (0, 1)]
        for at in product((0, 1), repeat=5)
    ]
    fours = [[[a, b], [c, d]] for a, b, c, d in product(range(1, 5), repeat=4)]
    threes = [[list(players)] for players in product(range(1, 4), repeat=3)]
    return [
        _case(5, 2, [list(games) for games in product(halves, repeat=2)]),
        _case(4, 2, [[game] for game in fours]),
        _case(3, 1, [[game] for game in threes]),
    ]


def _case(n: int, m: int, schedules: list[list[_Game]]) -> tuple[str, str, dict[str, bool]]:
    outputs = {_text(games): _is_right(n, m, games) for games in schedules}
    expected = next(output for output, is_right in outputs.items() if is_right)
    return f"1\n{n} {m} {len(schedules[0])}\n", expected, outputs


def _text(games: list[_Game]) -> str:
    return "\n".join(" ".join(map(str, [len(table), *table])) for game in games for table in game)


def _is_right(n: int, m: int, games: list[_Game]) -> bool:
    everyone = list(range(1, n + 1))
    for game in games:
        if sorted(player for table in game for player in table) != everyone:
            return False
        if any(not n / m - 1 < len(table) < n / m + 1 for table in game):
            return False
    big = [sum(player in table and len(table) >= n / m for game in games for table in game) for player in everyone]
    return all(abs(one - other) <= 1 for one in big for other in big)
