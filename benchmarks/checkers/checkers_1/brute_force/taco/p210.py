"""210 by looking at every three vertices of all matrices of three rows, and of all graphs of four vertices."""

from itertools import combinations, product

Case = tuple[str, str, dict[str, bool]]


def cases() -> list[Case]:
    triangle = "3\n011\n101\n110"
    outputs = {_shown(rows): _right(rows, 1) for rows in product(map("".join, product("01", repeat=3)), repeat=3)}
    found = [("1\n", triangle, {**outputs, "2\n01\n10": False})]
    graphs = [_graph(edges) for edges in product("01", repeat=6)]
    outsets = {asked: {_shown(rows): _right(rows, asked) for rows in graphs} for asked in (1, 2, 4)}
    for asked, outset in outsets.items():
        found.append((f"{asked}\n", next(output for output, right in outset.items() if right), outset))
    return found


def _graph(edges: tuple[str, ...]) -> tuple[str, ...]:
    joined = {pair for pair, edge in zip(combinations(range(4), 2), edges, strict=True) if edge == "1"}
    return tuple("".join("01"[tuple(sorted((row, column))) in joined] for column in range(4)) for row in range(4))


def _right(rows: tuple[str, ...], asked: int) -> bool:
    n = len(rows)
    if any(rows[one][other] != rows[other][one] for one in range(n) for other in range(n)):
        return False
    if any(rows[vertex][vertex] == "1" for vertex in range(n)):
        return False
    threes = combinations(range(n), 3)
    return sum(rows[a][b] == rows[b][c] == rows[a][c] == "1" for a, b, c in threes) == asked


def _shown(rows: tuple[str, ...]) -> str:
    return "\n".join([str(len(rows)), *rows])
