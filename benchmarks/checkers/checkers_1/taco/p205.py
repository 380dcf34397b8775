"""205: the most subsequences whose sorting sorts the whole, which are the cycles of the permutation that sorts it."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    numbers = _sequence(reader)
    reader.end()
    if len(set(numbers)) < len(numbers):
        reader.refuse("the elements are not distinct")


def check(text: str, output: str, expected: str) -> None:
    numbers = _sequence(Reader(text, Invalid))
    n = len(numbers)
    goes = [0] * (n + 1)
    for place, index in enumerate(sorted(range(n), key=lambda index: numbers[index]), 1):
        goes[index + 1] = place
    reader = Reader(output)
    count = reader.integer(1, n, "the number of subsequences")
    if count != _cycles(goes):
        reader.refuse(f"there are at most {_cycles(goes)} subsequences, not {count}")
    groups = [0] * (n + 1)
    left = n
    for group in range(1, count + 1):
        size = reader.integer(1, left, f"the size of subsequence {group}")
        left -= size
        for index in reader.integers(size, 1, n, f"an index of subsequence {group}"):
            if groups[index]:
                reader.refuse(f"index {index} stands twice")
            groups[index] = group
    reader.end()
    if left:
        reader.refuse(f"{left} indices are in no subsequence")
    for index in range(1, n + 1):
        if groups[index] != groups[goes[index]]:
            reader.refuse(f"the element at {index} belongs at {goes[index]}, which is in another subsequence")


def _sequence(reader: Reader) -> list[int]:
    n = reader.integer(1, _MOST, "n")
    return reader.integers(n, -(10**9), 10**9, "a")


def _cycles(goes: list[int]) -> int:
    """Return the number of cycles of the permutation of 1, 2, ..., which stands from place 1."""
    seen = bytearray(len(goes))
    count = 0
    for start in range(1, len(goes)):
        count += not seen[start]
        while not seen[start]:
            seen[start] = 1
            start = goes[start]
    return count
