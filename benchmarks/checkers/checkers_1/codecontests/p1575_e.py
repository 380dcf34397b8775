"""1575_E: a sum over the paths of a tree modulo 10^9 + 7."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, 2 * 10**5, "n")
    reader.integer(0, n - 1, "k")
    reader.integers(n, 0, 10**9, "a_i")
    parent = list(range(n + 1))
    for _ in range(n - 1):
        u = reader.integer(1, n, "u_i")
        v = reader.integer(1, n, "v_i")
        reader.integer(0, 1, "t_i")
        if not _join(parent, u, v):
            reader.refuse(f"edge {u} {v} closes a cycle: the edges form no tree")
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
