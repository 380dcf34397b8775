"""841: a set of integers of n bits."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(0, 22, "n")
    m = reader.integer(1, 2**n, "m")
    seen = bytearray(2**n)
    for _ in range(m):
        number = reader.integer(0, 2**n - 1, "a")
        if seen[number]:
            reader.refuse(f"{number} stands twice")
        seen[number] = 1
    reader.end()
