"""603: three segments of positive length in each test case."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(3 * reader.integer(1, 10000, "t")):
        one = reader.integers(2, -(10**8), 10**8, "a coordinate")
        if reader.integers(2, -(10**8), 10**8, "a coordinate") == one:
            reader.refuse("a segment has no length")
    reader.end()
