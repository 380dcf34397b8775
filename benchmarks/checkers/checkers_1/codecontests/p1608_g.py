"""1608_G: one right number for each query."""

from string import ascii_lowercase

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_LONGEST = 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, _LONGEST, "n")
    m, q = reader.integer(1, _LONGEST, "m"), reader.integer(1, _LONGEST, "q")
    _validate_tree(reader, n)
    total = 0
    for _ in range(m):
        total += len(reader.string(ascii_lowercase, 1, _LONGEST, "a string"))
        if total > _LONGEST:
            reader.refuse(f"the total length of the strings is over {_LONGEST}")
    for _ in range(q):
        u, v = reader.integer(1, n, "u"), reader.integer(1, n, "v")
        if u == v:
            reader.refuse(f"u and v of a query are both {u}")
        reader.integer(reader.integer(1, m, "l"), m, "r")
    reader.end()


def _validate_tree(reader: Reader, n: int) -> None:
    above = list(range(n + 1))
    for _ in range(n - 1):
        u, v = reader.integer(1, n, "u"), reader.integer(1, n, "v")
        reader.string(ascii_lowercase, 1, 1, "the letter of an edge")
        if u == v:
            reader.refuse(f"an edge joins node {u} to itself")
        while above[u] != u:
            above[u] = u = above[above[u]]
        while above[v] != v:
            above[v] = v = above[above[v]]
        if u == v:
            reader.refuse("the edges form no tree: one closes a cycle")
        above[u] = v
