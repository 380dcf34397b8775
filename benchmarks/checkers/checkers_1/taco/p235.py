"""235: how often two players show each of three things in n rounds."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 10**9, "n")
    for name in ("a", "b"):
        if sum(reader.integers(3, 0, n, name)) != n:
            reader.refuse(f"the numbers of {name} do not add up to n")
    reader.end()
