"""221: integers on a rooted tree, c_i of those in the subtree of i less than that of i; NO if some c_i is too large."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 2000


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    parents, _counts = _tree(reader)
    reader.end()
    if parents[1:].count(0) != 1:
        reader.refuse(f"there are {parents[1:].count(0)} roots")
    if len(_order(parents)) < len(parents) - 1:
        reader.refuse("the parents describe no tree")


def check(text: str, output: str, expected: str) -> None:
    parents, counts = _tree(Reader(text, Invalid))
    order = _order(parents)
    sizes = [1] * len(parents)
    for vertex in reversed(order):
        sizes[parents[vertex]] += sizes[vertex]
    reader = Reader(output)
    if reader.word("the answer", ("YES", "NO"), any_case=True) == "no":
        reader.end()
        if all(count < size for count, size in zip(counts[1:], sizes[1:], strict=True)):
            reader.refuse("there are such integers, the output says NO")
        return
    values = [0, *reader.integers(len(order), 1, 10**9, "a")]
    reader.end()
    ordered = [values[vertex] for vertex in order]
    for place, vertex in enumerate(order):
        less = sum(value < values[vertex] for value in ordered[place : place + sizes[vertex]])
        if less != counts[vertex]:
            reader.refuse(f"{less} integers are less than that of vertex {vertex}, not {counts[vertex]}")


def _tree(reader: Reader) -> tuple[list[int], list[int]]:
    """Return the parents and the counts, each from place 1."""
    n = reader.integer(1, _MOST, "n")
    pairs = [(reader.integer(0, n, "p"), reader.integer(0, n - 1, "c")) for _ in range(n)]
    return [0, *(parent for parent, _ in pairs)], [0, *(count for _, count in pairs)]


def _order(parents: list[int]) -> list[int]:
    """Return the vertices below the roots, each followed by its whole subtree."""
    children: list[list[int]] = [[] for _ in parents]
    for vertex in range(1, len(parents)):
        children[parents[vertex]].append(vertex)
    order: list[int] = []
    waiting = list(children[0])
    while waiting:
        order.append(waiting.pop())
        waiting += children[order[-1]]
    return order
