"""1608_B: a permutation with a local maximums and b local minimums; -1 if there is none."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 10**4
_LONGEST = 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        n = reader.integer(2, _LONGEST, "n")
        reader.integer(0, n, "a")
        reader.integer(0, n, "b")
        total += n
        if total > _LONGEST:
            reader.refuse(f"the sum of n over all test cases is over {_LONGEST}")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n, a, b = given.integers(3, 0, _LONGEST, "n, a or b")
        first = reader.integer(-1, n, f"the first number of case {case}")
        # Maximums and minimums take turns, and neither end of the permutation is one.
        if abs(a - b) > 1 or a + b > n - 2:
            if first != -1:
                reader.refuse(f"case {case}: there is no permutation, and the answer starts with {first}, not -1")
            continue
        if first == -1:
            reader.refuse(f"case {case}: there is a permutation, and the answer is -1")
        _check_permutation(reader, [first, *reader.integers(n - 1, 1, n, f"a number of case {case}")], (a, b), case)
    reader.end()


def _check_permutation(reader: Reader, numbers: list[int], asked: tuple[int, int], case: int) -> None:
    if sorted(numbers) != list(range(1, len(numbers) + 1)):
        reader.refuse(f"case {case}: the numbers are no permutation")
    inner = list(zip(numbers, numbers[1:], numbers[2:], strict=False))
    maximums = sum(left < middle > right for left, middle, right in inner)
    minimums = sum(left > middle < right for left, middle, right in inner)
    if (maximums, minimums) != asked:
        reader.refuse(f"case {case}: {maximums} maximums and {minimums} minimums, not {asked[0]} and {asked[1]}")
