"""82: shortcuts that never lead back and whose ends are in order."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 200_000, "n")
    ends = [reader.integer(place, n, f"a{place}") for place in range(1, n + 1)]
    reader.end()
    if ends != sorted(ends):
        reader.refuse("some a is over the next a")
