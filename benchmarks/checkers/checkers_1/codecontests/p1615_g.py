"""1615_G: the zeros replaced such that as many numbers as the reference has stand in a pair of equal neighbours."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 3 * 10**5
_MOST_GIVEN = 600


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(2, _MOST, "n")
    reader.integers(n, 0, min(n, _MOST_GIVEN), "a")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    n = given.integer(2, _MOST, "n")
    numbers = given.integers(n, 0, min(n, _MOST_GIVEN), "a")
    value, best = _value(reader, numbers), _value(Reader(expected), numbers)
    if value < best:
        reader.refuse(f"the value is {value}, not {best}")
    if value > best:
        reader.refuse(f"the value is {value}, and the reference is worse: {best}")


def _value(reader: Reader, numbers: list[int]) -> int:
    """Return how many numbers stand in a pair of equal neighbours of the array that ``reader`` reads."""
    n = len(numbers)
    paired = set()
    before = 0
    for place, number in enumerate(numbers, 1):
        new = reader.integer(1, n, f"number {place}")
        if number not in (0, new):
            reader.refuse(f"number {place} is {new}, but {number} is given")
        if new == before:
            paired.add(new)
        before = new
    reader.end()
    return len(paired)
