"""1586_F: the fewest colors c, and colors of all edges that leave no path of k edges in one color."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    _read(text)


def check(text: str, output: str, expected: str) -> None:
    n, k = _read(text)
    reader = Reader(output)
    fewest = _fewest(n, k)
    c = reader.integer(1, n, "c")
    if c != fewest:
        reader.refuse(f"c is {c}, not {fewest}")
    used = set()
    longest = [[0] * (n + 1) for _ in range(c + 1)]
    for start in range(1, n):
        for end in range(start + 1, n + 1):
            color = reader.integer(1, c, "a color")
            used.add(color)
            lengths = longest[color]
            lengths[end] = max(lengths[end], lengths[start] + 1)
            if lengths[end] == k:
                reader.refuse(f"a path of {k} edges of color {color} ends at node {end}")
    if len(used) < c:
        reader.refuse(f"the number of colors used is {len(used)}, not {c}")
    reader.end()


def _read(text: str) -> tuple[int, int]:
    reader = Reader(text, Invalid)
    n = reader.integer(3, 1000, "n")
    k = reader.integer(2, n - 1, "k")
    reader.end()
    return n, k


def _fewest(n: int, k: int) -> int:
    """Return the fewest colors: the lengths of the longest paths that end at a node, a color each, tell n nodes apart.

    Each length is from 0 to k - 1, so k ** c is n or more; and nodes that stand for the numbers of c digits to the base
    k do with c colors.
    """
    colors, most = 1, k
    while most < n:
        colors, most = colors + 1, most * k
    return colors
