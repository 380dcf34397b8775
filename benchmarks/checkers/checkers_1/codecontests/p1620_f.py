"""1620_F: signs for a permutation that leave no three numbers in descending order, or NO if there are none."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 2 * 10**5
_MOST = 10**6


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        n = reader.integer(1, _MOST, "n")
        total += n
        if total > _MOST:
            reader.refuse(f"the sum of n over all test cases is over {_MOST}")
        if len(set(reader.integers(n, 1, n, "p"))) < n:
            reader.refuse("p is no permutation")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n = given.integer(1, _MOST, "n")
        permutation = given.integers(n, 1, n, "p")
        if reader.word(f"the answer of case {case}", ("YES", "NO"), any_case=True) == "no":
            if _has_signs(permutation):
                reader.refuse(f"case {case}: the answer is no, though there are such signs")
            continue
        _check_signs(reader, permutation, case)
    reader.end()


def _check_signs(reader: Reader, permutation: list[int], case: int) -> None:
    """Refuse the array of the output if it is not the permutation with signs or three of it descend.

    An odd cycle of the graph exists only if three numbers descend: they are a triangle.
    """
    n = len(permutation)
    most = below = -n - 1
    for place, number in enumerate(permutation, 1):
        signed = reader.integer(-n, n, f"number {place} of case {case}")
        if abs(signed) != number:
            reader.refuse(f"case {case}: number {place} is {signed}, not {number} or -{number}")
        if signed > most:
            most = signed
        elif signed > below:
            below = signed
        else:
            reader.refuse(f"case {case}: the graph is not bipartite, for three numbers down to {signed} descend")


def _has_signs(permutation: list[int]) -> bool:
    """Return whether signs leave no three numbers in descending order.

    A prefix is known by its most number and the most that has a greater one before it. The last number is one of
    them, so that for each sign and role of the last number only the least other one counts.
    """
    n = len(permutation)
    none = n + 1
    states = [(-none, -none)]
    for number in permutation:
        new: dict[tuple[int, bool], tuple[int, int]] = {}
        for most, below in states:
            for signed in (-number, number):
                if signed > most:
                    state = (signed, below)
                elif signed > below:
                    state = (most, signed)
                else:
                    continue
                role = (signed, signed > most)
                if role not in new or state < new[role]:
                    new[role] = state
        states = list(new.values())
    return bool(states)
