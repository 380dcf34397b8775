"""1619_F: a schedule of k games of all players at m tables as even as can be, where big tables are shared fairly."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 10**4
_MOST_PLAYERS = 2 * 10**5
_MOST_GAMES = 10**5
_MOST_SEATS = 2 * 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    seats = 0
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        n = reader.integer(2, _MOST_PLAYERS, "n")
        reader.integer(1, n // 2, "m")
        seats += n * reader.integer(1, _MOST_GAMES, "k")
        if seats > _MOST_SEATS:
            reader.refuse(f"the sum of nk over all test cases is over {_MOST_SEATS}")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n = given.integer(2, _MOST_PLAYERS, "n")
        m, k = given.integer(1, n // 2, "m"), given.integer(1, _MOST_GAMES, "k")
        games_at_big_tables = [0] * n
        for _ in range(k):
            for player in _big_table_players(reader, n, m, case):
                games_at_big_tables[player - 1] += 1
        if max(games_at_big_tables) - min(games_at_big_tables) > 1:
            reader.refuse(f"case {case}: players are at big tables in numbers of games that differ by more than 1")
    reader.end()


def _big_table_players(reader: Reader, n: int, m: int, case: int) -> list[int]:
    """Return who is at a big table in the next game, in which everyone is at one table."""
    small, big = n // m, -(-n // m)
    seen = [False] * (n + 1)
    at_big = []
    for _ in range(m):
        players = reader.integers(reader.integer(small, big, f"a table's size in case {case}"), 1, n, "a player")
        for player in players:
            if seen[player]:
                reader.refuse(f"case {case}: player {player} stands twice in a game")
            seen[player] = True
        if len(players) == big:
            at_big += players
    if not all(seen[1:]):
        reader.refuse(f"case {case}: player {seen.index(False, 1)} is at no table in a game")
    return at_big
