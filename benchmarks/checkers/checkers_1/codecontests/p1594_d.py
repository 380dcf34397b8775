"""1594_D: the maximum number of imposters, or -1 for a contradiction; one right answer."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_PLAYERS = 2 * 10**5
_MOST_COMMENTS = 5 * 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    players = comments = 0
    for _ in range(reader.integer(1, 10**4, "t")):
        n, m = reader.integer(1, _MOST_PLAYERS, "n"), reader.integer(0, _MOST_COMMENTS, "m")
        players += n
        comments += m
        if players > _MOST_PLAYERS:
            reader.refuse(f"the sum of n over all test cases is over {_MOST_PLAYERS}")
        if comments > _MOST_COMMENTS:
            reader.refuse(f"the sum of m over all test cases is over {_MOST_COMMENTS}")
        for _ in range(m):
            speaker, other = reader.integer(1, n, "i"), reader.integer(1, n, "j")
            if speaker == other:
                reader.refuse(f"player {speaker} speaks of themselves: i is equal to j")
            reader.word("c", ("imposter", "crewmate"))
    reader.end()
