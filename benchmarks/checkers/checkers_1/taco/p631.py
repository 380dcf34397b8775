"""631: permutations."""

from collections.abc import Sequence

from turnwise.benchmarks.checkers.library import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    length = 0
    for _ in range(reader.integer(1, 1000, "q")):
        n = reader.integer(1, 2 * 10**5, "n")
        length += n
        if length > 2 * 10**5:
            reader.refuse("the sum of n over all queries is over 200000")
        _require_distinct(reader, reader.integers(n, 1, n, "p"), "the numbers of p")
    reader.end()


def _require_distinct(reader: Reader, values: Sequence[object], name: str) -> None:
    if len(set(values)) < len(values):
        reader.refuse(f"{name} are not distinct")
