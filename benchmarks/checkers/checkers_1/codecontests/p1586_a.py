"""1586_A: the size of a largest subset whose sum is composite, and the indices of such a subset in any order."""

from collections.abc import Iterator

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    for _ in _arrays(text):
        pass


def check(text: str, output: str, expected: str) -> None:
    reader = Reader(output)
    for case, a in enumerate(_arrays(text), 1):
        n = len(a)
        # A prime sum is odd here: without an odd element it is even and above 2.
        largest = n if _is_composite(sum(a)) else n - 1
        size = reader.integer(1, n, f"the size in case {case}")
        if size != largest:
            reader.refuse(f"case {case}: the size is {size}, not {largest}")
        indices = reader.integers(size, 1, n, f"an index in case {case}")
        if len(set(indices)) < size:
            reader.refuse(f"case {case}: an index stands twice")
        total = sum(a[index - 1] for index in indices)
        if not _is_composite(total):
            reader.refuse(f"case {case}: the sum {total} is not composite")
    reader.end()


def _arrays(text: str) -> Iterator[list[int]]:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 100, "t")):
        n = reader.integer(3, 100, "n")
        a = reader.integers(n, 1, 200, "a number of a")
        if len(set(a)) < n:
            reader.refuse("two numbers of a are equal")
        yield a
    reader.end()


def _is_composite(number: int) -> bool:
    return any(number % factor == 0 for factor in range(2, min(number, 200)))
