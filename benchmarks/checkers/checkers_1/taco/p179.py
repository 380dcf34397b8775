"""179: the remaining marks, with a sum of all at most x and a median of at least y; or -1."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n, *_others = _task(reader)
    reader.end()
    if n % 2 == 0:
        reader.refuse(f"n is {n}, which is not odd")


def check(text: str, output: str, expected: str) -> None:
    n, highest, most, median, marks = _task(Reader(text, Invalid))
    reader = Reader(output)
    first = Reader(output).word("the answer")
    if first == "-1":
        reader.word()
        reader.end()
        if _possible(n, most, median, marks):
            reader.refuse("there are such marks, the output says -1")
        return
    marks += reader.integers(n - len(marks), 1, highest, "a mark")
    reader.end()
    if sum(marks) > most:
        reader.refuse(f"the marks add up to {sum(marks)}, over {most}")
    if sorted(marks)[n // 2] < median:
        reader.refuse(f"the median is {sorted(marks)[n // 2]}, below {median}")


def _task(reader: Reader) -> tuple[int, int, int, int, list[int]]:
    """Return n, the highest mark, the highest sum, the lowest median and the marks known."""
    n = reader.integer(1, 999, "n")
    k = reader.integer(0, n - 1, "k")
    highest = reader.integer(1, 1000, "p")
    most = reader.integer(n, n * highest, "x")
    median = reader.integer(1, highest, "y")
    return n, highest, most, median, reader.integers(k, 1, highest, "a")


def _possible(n: int, most: int, median: int, marks: list[int]) -> bool:
    """Return whether the cheapest marks that hold the median are cheap enough."""
    low = sum(mark < median for mark in marks)
    if low > n // 2:
        return False
    ones = min(n // 2 - low, n - len(marks))
    return sum(marks) + ones + (n - len(marks) - ones) * median <= most
