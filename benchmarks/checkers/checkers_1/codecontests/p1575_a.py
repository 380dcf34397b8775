"""1575_A: one order of n different strings of m letters."""

from string import ascii_uppercase

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**6


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, _MOST, "n")
    m = reader.integer(1, _MOST, "m")
    if n * m > _MOST:
        reader.refuse(f"n * m is {n * m}, over {_MOST}")
    seen: set[str] = set()
    for row in range(1, n + 1):
        title = reader.string(ascii_uppercase, m, m, f"s_{row}")
        if title in seen:
            reader.refuse(f"s_{row} stands twice: the strings are not pairwise distinct")
        seen.add(title)
    reader.end()
