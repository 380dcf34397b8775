"""1606_D: rows colored and a cut, red above blue on its left, blue above red on its right; or NO if none is."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 1000
_LONGEST = 5 * 10**5
_MOST_CELLS = 10**6
_MOST = 10**6


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    cells = 0
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        n, m = reader.integer(2, _LONGEST, "n"), reader.integer(2, _LONGEST, "m")
        cells += n * m
        if cells > _MOST_CELLS:
            reader.refuse(f"the sum of n * m over all test cases is over {_MOST_CELLS}")
        reader.integers(n * m, 1, _MOST, "a cell")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader, reference = Reader(text, Invalid), Reader(output), Reader(expected)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n, m = given.integers(2, 2, _LONGEST, "n or m")
        rows = [given.integers(m, 1, _MOST, "a cell") for _ in range(n)]
        known, answer = _answer(reference, n, m, case), _answer(reader, n, m, case)
        if answer is not None:
            _check_coloring(reader, rows, answer, case)
        elif known is not None:
            reader.refuse(f"case {case}: there is a perfect coloring, and the answer is NO")
    reader.end()


def _answer(reader: Reader, n: int, m: int, case: int) -> tuple[str, int] | None:
    if reader.word(f"the answer of case {case}", ("YES", "NO"), any_case=True) == "no":
        return None
    colors = reader.string("RB", n, n, f"the coloring of case {case}")
    return colors, reader.integer(1, m - 1, f"k of case {case}")


def _check_coloring(reader: Reader, rows: list[list[int]], answer: tuple[str, int], case: int) -> None:
    colors, k = answer
    red = [row for row, color in zip(rows, colors, strict=True) if color == "R"]
    blue = [row for row, color in zip(rows, colors, strict=True) if color == "B"]
    if not red or not blue:
        reader.refuse(f"case {case}: all rows have one color")
    if min(min(row[:k]) for row in red) <= max(max(row[:k]) for row in blue):
        reader.refuse(f"case {case}: a red cell of the left matrix is not greater than a blue one")
    if min(min(row[k:]) for row in blue) <= max(max(row[k:]) for row in red):
        reader.refuse(f"case {case}: a blue cell of the right matrix is not greater than a red one")
