"""1580_E: the least cost of construction before all incidents and after each."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 2 * 10**5, "n")
    m = reader.integer(1, 3 * 10**5, "m")
    q = reader.integer(0, 2 * 10**5, "q")
    reader.integers(n, 1, 10**9, "a cost")
    beside: list[set[int]] = [set() for _ in range(n + 1)]
    for _ in range(m):
        u, v = reader.integer(1, n, "u"), reader.integer(1, n, "v")
        if u == v:
            reader.refuse(f"railway {u} {v} connects a station to itself")
        if v in beside[u]:
            reader.refuse(f"railway {u} {v} stands twice")
        beside[u].add(v)
        beside[v].add(u)
        reader.integer(1, 10**9, "d")
    for _ in range(q):
        reader.integer(1, n, "k")
        reader.integer(1, 4 * 10**8, "x")
    reader.end()
    if _reached(beside) < n:
        reader.refuse("the railways do not connect all stations")


def _reached(beside: list[set[int]]) -> int:
    reached, waiting = {1}, [1]
    while waiting:
        fresh = beside[waiting.pop()] - reached
        reached |= fresh
        waiting += fresh
    return len(reached)
