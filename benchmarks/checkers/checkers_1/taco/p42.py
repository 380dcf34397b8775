"""42: a clique of k vertices, or vertices of which each has k neighbours among them; -1 if there are neither."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**5
_MOST_IN_ALL = 2 * 10**5

Edges = list[tuple[int, int]]


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    vertices = edges_in_all = 0
    for _ in range(reader.integer(1, _MOST, "t")):
        n, _k, edges = _graph(reader)
        vertices += n
        edges_in_all += len(edges)
        if vertices > _MOST_IN_ALL:
            reader.refuse("the sum of n over all test cases is over 200000")
        if edges_in_all > _MOST_IN_ALL:
            reader.refuse("the sum of m over all test cases is over 200000")
        seen: set[tuple[int, int]] = set()
        for one, other in edges:
            if one == other:
                reader.refuse(f"edge {one} {other} is a loop")
            if (min(one, other), max(one, other)) in seen:
                reader.refuse(f"edge {one} {other} stands twice")
            seen.add((min(one, other), max(one, other)))
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader, reference = Reader(text, Invalid), Reader(output), Reader(expected)
    for case in range(1, given.integer(1, _MOST, "t") + 1):
        n, k, edges = _graph(given)
        kind, chosen = _claim(reader, n, k, case)
        known, _chosen = _claim(reference, n, k, case)
        if kind == "-1":
            if known != "-1":
                reader.refuse(f"case {case}: there is an answer, the output says -1")
            continue
        counts = dict.fromkeys(chosen, 0)
        if len(counts) < len(chosen):
            reader.refuse(f"case {case}: a vertex stands twice")
        for one, other in edges:
            if one in counts and other in counts:
                counts[one] += 1
                counts[other] += 1
        needed = k if kind == "1" else k - 1
        for vertex, count in counts.items():
            if count < needed:
                reader.refuse(f"case {case}: vertex {vertex} has {count} neighbours among those given, not {needed}")
    reader.end()


def _graph(reader: Reader) -> tuple[int, int, Edges]:
    """Return the number of vertices, k and the edges."""
    n = reader.integer(1, _MOST, "n")
    m = reader.integer(1, _MOST, "m")
    k = reader.integer(1, n, "k")
    return n, k, [(reader.integer(1, n, "u"), reader.integer(1, n, "v")) for _ in range(m)]


def _claim(reader: Reader, n: int, k: int, case: int) -> tuple[str, list[int]]:
    """Return 1, 2 or -1, and the vertices that follow it."""
    kind = reader.word(f"the answer of case {case}", ("1", "2", "-1"))
    if kind == "-1":
        return kind, []
    count = reader.integer(1, n, f"the size of case {case}") if kind == "1" else k
    return kind, reader.integers(count, 1, n, f"a vertex of case {case}")
