"""1599_J: an array in which each number of B is the sum of two elements, or NO if there is none."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_LONGEST = 10**3
_LARGEST_SUM = 10**6
_LARGEST = 10**9
_ENOUGH = 26


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integers(reader.integer(2, _LONGEST, "N"), 1, _LARGEST_SUM, "B")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    sums = given.integers(given.integer(2, _LONGEST, "N"), 1, _LARGEST_SUM, "B")
    if reader.word("the answer", ("YES", "NO"), any_case=True) == "no":
        reader.end()
        if _is_possible(sums):
            reader.refuse("the answer is NO, but there is an array")
        return
    array = reader.integers(len(sums), -_LARGEST, _LARGEST, "A")
    reader.end()
    missing = set(sums)
    for place, number in enumerate(array):
        missing.difference_update([number + other for other in array[:place]])
    if missing:
        reader.refuse(f"no two elements add up to {min(missing)}")


def _is_possible(sums: list[int]) -> bool:
    """Return whether the sums of some cycle fit together: N sums between N elements close one, the others are free.

    A cycle of two needs equal sums, one of an odd length an even total, and one of an even length two sets of as many
    sums with the same total. If there is no even sum, 26 of them always hold two such sets: there are more sets of
    13 than totals.
    """
    evens = sum(number % 2 == 0 for number in sums)
    if len(set(sums)) < len(sums) or evens >= 3 or (evens >= 1 and len(sums) - evens >= 2):
        return True
    return len(sums) >= _ENOUGH or _has_even_cycle(sums)


def _has_even_cycle(sums: list[int]) -> bool:
    """Look for signs, not all zero, that bring the sums to zero, and their count as well; the halves meet."""
    weights = [number + _LARGEST for number in sums]
    *rest, last = weights
    halves = []
    for half in (rest[::2], rest[1::2]):
        signed = {0}
        for weight in half:
            if weight in signed:
                return True
            signed |= {total + sign * weight for total in signed for sign in (1, -1)}
        halves.append(signed)
    one, other = halves
    return len(one & other) > 1 or any(total + last in other for total in one)
