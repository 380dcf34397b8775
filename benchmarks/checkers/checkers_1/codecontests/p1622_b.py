"""1622_B: a permutation that rates liked songs above disliked ones, as near to the predicted one as can be."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 10**4
_MOST = 2 * 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        n = reader.integer(1, _MOST, "n")
        total += n
        if total > _MOST:
            reader.refuse(f"the sum of n over all test cases is over {_MOST}")
        if len(set(reader.integers(n, 1, n, "p"))) < n:
            reader.refuse("p is no permutation")
        reader.string("01", n, n, "s")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n = given.integer(1, _MOST, "n")
        predicted = given.integers(n, 1, n, "p")
        votes = given.string("01", n, n, "s")
        rated = reader.integers(n, 1, n, f"a rating of case {case}")
        if len(set(rated)) < n:
            reader.refuse(f"case {case}: the ratings are no permutation")
        disliked = votes.count("0")
        if any((rating > disliked) != (vote == "1") for rating, vote in zip(rated, votes, strict=True)):
            reader.refuse(f"case {case}: a liked song is rated below a disliked one")
        cost = sum(abs(one - other) for one, other in zip(predicted, rated, strict=True))
        least = _least_cost(predicted, votes)
        if cost != least:
            reader.refuse(f"case {case}: the sum of differences is {cost}, not {least}")

    reader.end()


def _least_cost(predicted: list[int], votes: str) -> int:
    """Return the sum of differences if songs of either vote keep their order."""
    order = sorted(range(len(predicted)), key=lambda song: (votes[song], predicted[song]))
    return sum(abs(predicted[song] - rating) for rating, song in enumerate(order, 1))
