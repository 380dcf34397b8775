"""1579_D: as many talks of two different people as possible, at most a_i of person i."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 2 * 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    people = talks = 0
    for _ in range(_read_count(reader)):
        n = _read_people(reader)
        people += n
        if people > _MOST:
            reader.refuse(f"the sum of n over all test cases is over {_MOST}")
        talks += sum(_read_limits(reader, n))
        if talks > _MOST:
            reader.refuse(f"the sum of a_i over all test cases is over {_MOST}")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for case in range(1, _read_count(given) + 1):
        n = _read_people(given)
        left = _read_limits(given, n)
        most = min(sum(left) // 2, sum(left) - max(left))
        if reader.integer(0, _MOST, f"k of case {case}") != most:
            reader.refuse(f"case {case}: the maximum number of talks is {most}")
        for _ in range(most):
            one = reader.integer(1, n, f"i of case {case}")
            other = reader.integer(1, n, f"j of case {case}")
            if one == other:
                reader.refuse(f"case {case}: person {one} talks to itself")
            for person in (one, other):
                left[person - 1] -= 1
                if left[person - 1] < 0:
                    reader.refuse(f"case {case}: person {person} talks too often")
    reader.end()


def _read_count(reader: Reader) -> int:
    return reader.integer(1, 1000, "t")


def _read_people(reader: Reader) -> int:
    return reader.integer(2, _MOST, "n")


def _read_limits(reader: Reader, n: int) -> list[int]:
    return reader.integers(n, 0, _MOST, "a_i")
