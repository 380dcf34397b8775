"""831: a group of the integers 1 to n, neither empty nor all, whose sum is half of all, or half a unit beside it."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    _last(reader)
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    n = _last(Reader(text, Invalid))
    total = n * (n + 1) // 2
    reader = Reader(output)
    difference = reader.integer(0, total, "the difference")
    if difference != total % 2:
        reader.refuse(f"the difference is {difference}, the smallest is {total % 2}")
    size = reader.integer(1, n - 1, "the size of the group")
    group = reader.integers(size, 1, n, "an integer of the group")
    reader.end()
    if len(set(group)) < size:
        reader.refuse("an integer stands twice in the group")
    if abs(total - 2 * sum(group)) != difference:
        reader.refuse(f"the sums differ by {abs(total - 2 * sum(group))}, not {difference}")


def _last(reader: Reader) -> int:
    return reader.integer(2, 60_000, "n")
