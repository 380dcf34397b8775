"""92: the floors where people are and where they want to be."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 2000, "n")):
        start, end = reader.integer(1, 9, "a"), reader.integer(1, 9, "b")
        if start == end:
            reader.refuse(f"a and b are both {start}")
    reader.end()
