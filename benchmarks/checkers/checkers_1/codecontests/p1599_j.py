"""1599_J: an array in which each number of B is the sum of two elements, or NO if there is none."""

from turnwise.benchmarks.checkers.library import Invalid, Reader

_LONGEST = 10**3
_LARGEST_SUM = 10**6
_LARGEST = 10**9


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integers(reader.integer(2, _LONGEST, "N"), 1, _LARGEST_SUM, "B")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    n = given.integer(2, _LONGEST, "N")
    sums = set(given.integers(n, 1, _LARGEST_SUM, "B"))
    if not _says_yes(reader):
        if _says_yes(Reader(expected)):
            reader.refuse("the answer is NO, but there is an array")
    else:
        array = reader.integers(n, -_LARGEST, _LARGEST, "A")
        for place, number in enumerate(array):
            sums.difference_update([number + other for other in array[:place]])
        if sums:
            reader.refuse(f"no two elements add up to {min(sums)}")
    reader.end()


def _says_yes(reader: Reader) -> bool:
    return reader.word("the answer", ("YES", "NO"), any_case=True) == "yes"
