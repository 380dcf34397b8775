"""1615_D by trying every pair of edges with lights 0 and 1 on trees of three nodes."""

from itertools import permutations, product

_LIGHTS = (0, 1)
_Edge = tuple[int, int, int]
_EDGES = list(product((1, 2, 3), (1, 2, 3), _LIGHTS))
_INPUTS: list[tuple[list[_Edge], list[_Edge]]] = [
    ([(1, 2, -1), (2, 3, -1)], [(1, 3, 1)]),
    ([(1, 2, -1), (3, 1, 1)], [(2, 3, 1), (1, 2, 0)]),
    ([(3, 2, 0), (3, 1, 1)], [(1, 2, 1)]),
    ([(3, 2, 0), (3, 1, 1)], [(2, 1, 0)]),
    ([(1, 2, -1), (1, 3, -1)], [(1, 2, 0), (1, 3, 1), (2, 3, 0)]),
]


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(edges, elves) for edges, elves in _INPUTS]


def _case(edges: list[_Edge], elves: list[_Edge]) -> tuple[str, str, dict[str, bool]]:
    outputs = {_lines("YES", pair): _is_right(list(pair), edges, elves) for pair in product(_EDGES, repeat=2)}
    expected = next((output for output, is_right in outputs.items() if is_right), "NO\n")
    outputs["no"] = expected == "NO\n"
    outputs["YES"] = False
    return _lines(f"1\n3 {len(elves)}", (*edges, *elves)), expected, outputs


def _lines(first: str, edges: tuple[_Edge, ...]) -> str:
    return "\n".join([first, *(f"{x} {y} {v}" for x, y, v in edges)]) + "\n"


def _is_right(new: list[_Edge], edges: list[_Edge], elves: list[_Edge]) -> bool:
    if not any(all(map(_is_filled, edges, order)) for order in permutations(new)):
        return False
    return all(_parity(new, a, b) == p for a, b, p in elves)


def _is_filled(edge: _Edge, new: _Edge) -> bool:
    return {edge[0], edge[1]} == {new[0], new[1]} and edge[2] in (-1, new[2])


def _parity(edges: list[_Edge], start: int, end: int) -> int:
    """Return the parity of the path, which is of one of the edges or of both."""
    for x, y, v in edges:
        if {x, y} == {start, end}:
            return v
    return (edges[0][2] + edges[1][2]) % 2
