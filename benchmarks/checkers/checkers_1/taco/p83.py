"""83: at most n cities, each of which switches its roads, after which all roads are asphalted; or Impossible."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 200  # The statement shows the bounds of n and m in a picture only.

Roads = list[tuple[int, int, int]]


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    _n, roads = _map(reader)
    reader.end()
    seen: set[tuple[int, int]] = set()
    for one, other, _asphalted in roads:
        if one == other:
            reader.refuse(f"a road joins city {one} to itself")
        if (min(one, other), max(one, other)) in seen:
            reader.refuse(f"road {one} {other} stands twice")
        seen.add((min(one, other), max(one, other)))


def check(text: str, output: str, expected: str) -> None:
    n, roads = _map(Reader(text, Invalid))
    if Reader(output).word("the answer", any_case=True) == "impossible":
        reader = Reader(output)
        reader.word()
        reader.end()
        if _possible(n, roads):
            reader.refuse("there is a way, the output says Impossible")
        return
    reader = Reader(output)
    switched = [0] * (n + 1)
    for _ in range(reader.integer(0, n, "the number of days")):
        switched[reader.integer(1, n, "a city")] ^= 1
    reader.end()
    for one, other, asphalted in roads:
        if not asphalted ^ switched[one] ^ switched[other]:
            reader.refuse(f"road {one} {other} has no asphalt in the end")


def _map(reader: Reader) -> tuple[int, Roads]:
    """Return the number of cities, and the roads with 1 for those asphalted."""
    n = reader.integer(1, _MOST, "n")
    m = reader.integer(1, n * (n - 1) // 2, "m")
    return n, [(reader.integer(1, n, "a"), reader.integer(1, n, "b"), reader.integer(0, 1, "c")) for _ in range(m)]


def _possible(n: int, roads: Roads) -> bool:
    """Return whether some set of cities leaves every road asphalted."""
    neighbours: list[list[tuple[int, int]]] = [[] for _ in range(n + 1)]
    for one, other, asphalted in roads:
        neighbours[one].append((other, 1 - asphalted))
        neighbours[other].append((one, 1 - asphalted))
    switched = [-1] * (n + 1)
    for start in range(1, n + 1):
        if switched[start] >= 0:
            continue
        switched[start] = 0
        waiting = [start]
        while waiting:
            city = waiting.pop()
            for other, differs in neighbours[city]:
                if switched[other] < 0:
                    switched[other] = switched[city] ^ differs
                    waiting.append(other)
    return all(switched[one] ^ switched[other] == 1 - asphalted for one, other, asphalted in roads)
