"""353: a colouring of the rows and a cut, red above blue to the left of it and blue above red to the right; or NO."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**6


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    cells = 0
    for _ in range(reader.integer(1, 1000, "t")):
        rows = _matrix(reader)
        cells += len(rows) * len(rows[0])
        if cells > _MOST:
            reader.refuse("the sum of n * m over all test cases is over 1000000")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader, reference = Reader(text, Invalid), Reader(output), Reader(expected)
    for case in range(1, given.integer(1, 1000, "t") + 1):
        rows = _matrix(given)
        claim = _claim(reader, len(rows), len(rows[0]), case)
        known = _claim(reference, len(rows), len(rows[0]), case)
        if claim is None:
            if known is not None:
                reader.refuse(f"case {case}: there is a colouring, the output says NO")
            continue
        colours, cut = claim
        red = [row for row, colour in zip(rows, colours, strict=True) if colour == "R"]
        blue = [row for row, colour in zip(rows, colours, strict=True) if colour == "B"]
        if not red or not blue:
            reader.refuse(f"case {case}: all rows are of one colour")
        if min(min(row[:cut]) for row in red) <= max(max(row[:cut]) for row in blue):
            reader.refuse(f"case {case}: a red cell of the left matrix is not above a blue one")
        if min(min(row[cut:]) for row in blue) <= max(max(row[cut:]) for row in red):
            reader.refuse(f"case {case}: a blue cell of the right matrix is not above a red one")
    reader.end()


def _matrix(reader: Reader) -> list[list[int]]:
    n = reader.integer(2, _MOST // 2, "n")
    m = reader.integer(2, _MOST // 2, "m")
    if n * m > _MOST:
        reader.refuse(f"n * m is {n * m}, over {_MOST}")
    return [reader.integers(m, 1, _MOST, "a") for _ in range(n)]


def _claim(reader: Reader, n: int, m: int, case: int) -> tuple[str, int] | None:
    """Return the colours and the cut, or None for NO."""
    if reader.word(f"the answer of case {case}", ("YES", "NO"), any_case=True) == "no":
        return None
    colours = reader.string("RB", n, n, f"the colouring of case {case}")
    return colours, reader.integer(1, m - 1, f"the cut of case {case}")
