"""1622_E: points for the questions, a permutation, that surprise as much as those of the reference."""

from collections.abc import Iterable

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST_CASES = 10**4
_MOST_STUDENTS = 10
_MOST_QUESTIONS = 10**4


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, _MOST_CASES, "t")):
        n, m = reader.integer(1, _MOST_STUDENTS, "n"), reader.integer(1, _MOST_QUESTIONS, "m")
        total += m
        if total > _MOST_QUESTIONS:
            reader.refuse(f"the sum of m over all test cases is over {_MOST_QUESTIONS}")
        reader.integers(n, 0, m * (m + 1) // 2, "x")
        for _ in range(n):
            reader.string("01", m, m, "s")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader, reference = Reader(text, Invalid), Reader(output), Reader(expected)
    for case in range(1, given.integer(1, _MOST_CASES, "t") + 1):
        n, m = given.integer(1, _MOST_STUDENTS, "n"), given.integer(1, _MOST_QUESTIONS, "m")
        hopes = given.integers(n, 0, m * (m + 1) // 2, "x")
        answers = [given.string("01", m, m, "s") for _ in range(n)]
        value, best = (_surprise(_points(one, m, case), hopes, answers) for one in (reader, reference))
        if value < best:
            reader.refuse(f"case {case}: the surprise is {value}, not {best}")
        if value > best:
            reader.refuse(f"case {case}: the surprise is {value}, and the reference is worse: {best}")
    reader.end()


def _points(reader: Reader, m: int, case: int) -> list[int]:
    """Return the permutation that ``reader`` reads next."""
    points = reader.integers(m, 1, m, f"the points of case {case}")
    if len(set(points)) < m:
        reader.refuse(f"case {case}: the points are no permutation")
    return points


def _surprise(points: list[int], hopes: list[int], answers: Iterable[str]) -> int:
    results = (sum(p for p, one in zip(points, line, strict=True) if one == "1") for line in answers)
    return sum(abs(hope - result) for hope, result in zip(hopes, results, strict=True))
