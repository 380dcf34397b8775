"""1575_K: a number of colourings modulo 10^9 + 7."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**9


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, _MOST, "n")
    m = reader.integer(1, _MOST, "m")
    reader.integer(1, _MOST, "k")
    r = reader.integer(1, min(10**6, n), "r")
    c = reader.integer(1, min(10**6, m), "c")
    for corner in "ab":
        x = reader.integer(1, n, f"{corner}_x")
        y = reader.integer(1, m, f"{corner}_y")
        if x + r - 1 > n or y + c - 1 > m:
            reader.refuse(f"the sub-rectangle at {x} {y} is not inside the grid")
    reader.end()
