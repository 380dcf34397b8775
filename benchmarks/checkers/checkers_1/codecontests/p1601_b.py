"""1601_B: the fewest jumps out of the well, and the depths that so many jumps reach, one after another; or -1."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_DEEPEST = 300_000


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, _DEEPEST, "n")
    for depth in range(1, n + 1):
        reader.integer(0, depth, f"a of depth {depth}")
    for depth in range(1, n + 1):
        reader.integer(0, n - depth, f"b of depth {depth}")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    n = given.integer(1, _DEEPEST, "n")
    highest = [0, *given.integers(n, 0, n, "a")]
    slips = [0, *given.integers(n, 0, n, "b")]
    fewest = _fewest_jumps(n, highest, slips)
    claimed = reader.integer(-1, n, "k")
    if claimed != fewest:
        reader.refuse(f"k is {claimed}, not {fewest}")
    depth = n
    for jump in range(1, claimed + 1):
        reached = reader.integer(0, n, f"d of jump {jump}")
        if not depth - highest[depth] <= reached <= depth:
            reader.refuse(f"jump {jump} goes from depth {depth} to {reached}, but its length is 0 to {highest[depth]}")
        depth = reached + slips[reached]
    if claimed != -1 and depth != 0:
        reader.refuse(f"the last jump ends at depth {depth}, not at ground level")
    reader.end()


def _fewest_jumps(n: int, highest: list[int], slips: list[int]) -> int:
    """Return the fewest jumps to ground level, or -1; the depths that jumps have reached are those from ``top`` on."""
    jumps, top, starts = 0, n, [n]
    while starts:
        jumps += 1
        following: list[int] = []
        for start in starts:
            end = start - highest[start]
            if end <= 0:
                return jumps
            if end < top:
                following += [depth + slips[depth] for depth in range(end, top)]
                top = end
        starts = following
    return -1
