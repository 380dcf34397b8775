"""39: lamps, and sets that switch them, of which no three meet and some light all."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 3 * 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, _MOST, "n")
    k = reader.integer(1, _MOST, "k")
    lit = reader.string("01", n, n, "the string of lamps")
    holders: list[list[int]] = [[] for _ in range(n)]
    for subset in range(1, k + 1):
        for lamp in reader.integers(reader.integer(1, n, "c"), 1, n, "x"):
            holding = holders[lamp - 1]
            if holding and holding[-1] == subset:
                reader.refuse(f"lamp {lamp} stands twice in subset {subset}")
            if len(holding) == 2:
                reader.refuse(f"lamp {lamp} is in three subsets")
            holding.append(subset)
    reader.end()
    if not _can_be_lit(k, lit, holders):
        reader.refuse("no operations light all lamps")


def _can_be_lit(k: int, lit: str, holders: list[list[int]]) -> bool:
    """Return whether some choice of subsets lights all lamps; subset 0 is never chosen."""
    links: list[list[tuple[int, int]]] = [[] for _ in range(k + 1)]
    for state, holding in zip(lit, holders, strict=True):
        one, other = [*holding, 0, 0][:2]
        links[one].append((other, state == "0"))
        links[other].append((one, state == "0"))
    chosen = [-1] * (k + 1)
    for start in range(k + 1):
        if chosen[start] >= 0:
            continue
        chosen[start] = 0
        waiting = [start]
        while waiting:
            subset = waiting.pop()
            for other, differs in links[subset]:
                if chosen[other] < 0:
                    chosen[other] = chosen[subset] ^ differs
                    waiting.append(other)
                elif chosen[other] != chosen[subset] ^ differs:
                    return False
    return True
