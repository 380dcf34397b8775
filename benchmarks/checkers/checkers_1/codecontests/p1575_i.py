"""1575_I: the least energy of each query."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**9


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, 10**5, "n")
    q = reader.integer(1, 10**5, "q")
    reader.integers(n, -_MOST, _MOST, "a_i")
    parent = list(range(n + 1))
    for _ in range(n - 1):
        s = reader.integer(1, n, "s_i")
        t = reader.integer(1, n, "t_i")
        if not _join(parent, s, t):
            reader.refuse(f"edge {s} {t} closes a cycle: the edges form no tree")
    for _ in range(q):
        kind = reader.integer(1, 2, "the type of a query")
        reader.integer(1, n, "u")
        if kind == 1:
            reader.integer(-_MOST, _MOST, "c")
        else:
            reader.integer(1, n, "v")
    reader.end()


def _join(parent: list[int], u: int, v: int) -> bool:
    """Join the trees of u and v; return whether they were apart."""
    ends = []
    for vertex in (u, v):
        while parent[vertex] != vertex:
            parent[vertex] = parent[parent[vertex]]
            vertex = parent[vertex]
        ends.append(vertex)
    parent[ends[0]] = ends[1]
    return ends[0] != ends[1]
