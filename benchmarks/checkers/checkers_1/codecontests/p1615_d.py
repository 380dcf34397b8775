"""1615_D: a light on every edge of the tree that keeps the known lights and every elf's parity, or NO if none does."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 2 * 10**4
_MOST_NODES = 2 * 10**5
_MOST_LIGHT = 2**30 - 1


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    nodes = elves = 0
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        n, m = reader.integer(2, _MOST_NODES, "n"), reader.integer(1, _MOST_NODES, "m")
        nodes, elves = nodes + n, elves + m
        if nodes > _MOST_NODES:
            reader.refuse(f"the sum of n over all test cases is over {_MOST_NODES}")
        if elves > _MOST_NODES:
            reader.refuse(f"the sum of m over all test cases is over {_MOST_NODES}")
        group = list(range(n + 1))
        for _ in range(n - 1):
            x, y = reader.integer(1, n, "x"), reader.integer(1, n, "y")
            reader.integer(-1, _MOST_LIGHT, "v")
            first, second = _root(group, x), _root(group, y)
            if first == second:
                reader.refuse(f"the edges are no tree: edge {x} {y} closes a cycle")
            group[first] = second
        for _ in range(m):
            a, b = reader.integer(1, n, "a"), reader.integer(1, n, "b")
            reader.integer(0, 1, "p")
            if a == b:
                reader.refuse(f"a and b are both {a}")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n, m = given.integer(2, _MOST_NODES, "n"), given.integer(1, _MOST_NODES, "m")
        lights: dict[tuple[int, int], int] = {}
        for _ in range(n - 1):
            x, y, v = given.integer(1, n, "x"), given.integer(1, n, "y"), given.integer(-1, _MOST_LIGHT, "v")
            lights[min(x, y), max(x, y)] = v
        elves = [(given.integer(1, n, "a"), given.integer(1, n, "b"), given.integer(0, 1, "p")) for _ in range(m)]
        if reader.word(f"the answer of case {case}", ("YES", "NO"), any_case=True) == "no":
            known = [(x, y, v.bit_count() % 2) for (x, y), v in lights.items() if v >= 0]
            if _parities(n, known + elves):
                reader.refuse(f"case {case}: the answer is no, though there is such a tree")
            continue
        _check_tree(reader, n, lights, elves, case)
    reader.end()


def _check_tree(
    reader: Reader, n: int, lights: dict[tuple[int, int], int], elves: list[tuple[int, int, int]], case: int
) -> None:
    """Refuse lights of the output that are not for the edges of the tree, or break a memory."""
    links = []
    for _ in range(n - 1):
        x, y = reader.integer(1, n, f"x of case {case}"), reader.integer(1, n, f"y of case {case}")
        v = reader.integer(0, _MOST_LIGHT, f"v of case {case}")
        light = lights.pop((min(x, y), max(x, y)), None)
        if light is None:
            reader.refuse(f"case {case}: {x} {y} is no edge of the tree, or stands twice")
        if light not in (-1, v):
            reader.refuse(f"case {case}: edge {x} {y} has the light {light}, not {v}")
        links.append((x, y, v.bit_count() % 2))
    parity = _parities(n, links)
    for a, b, p in elves:
        if parity[a] ^ parity[b] != p:
            reader.refuse(f"case {case}: the parity between {a} and {b} is not {p}")


def _parities(n: int, links: list[tuple[int, int, int]]) -> list[int]:
    """Return a parity for every node such that those of linked nodes differ as the link says; empty if none are."""
    nearby: list[list[tuple[int, int]]] = [[] for _ in range(n + 1)]
    for x, y, p in links:
        nearby[x].append((y, p))
        nearby[y].append((x, p))
    parity = [-1] * (n + 1)
    for start in range(1, n + 1):
        if parity[start] >= 0:
            continue
        parity[start] = 0
        waiting = [start]
        while waiting:
            x = waiting.pop()
            for y, p in nearby[x]:
                if parity[y] < 0:
                    parity[y] = parity[x] ^ p
                    waiting.append(y)
                elif parity[y] != parity[x] ^ p:
                    return []
    return parity


def _root(group: list[int], node: int) -> int:
    while group[node] != node:
        group[node] = group[group[node]]
        node = group[node]
    return node
