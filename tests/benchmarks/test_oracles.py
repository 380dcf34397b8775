"""HumanEval+ and MBPP+ results are accepted as evalplus accepts them, and no result breaks the judge."""

from typing import Any

import pytest

from turnwise.benchmarks.oracles import ORACLE_BY_ENTRY_POINT, evalplus_accepts
from turnwise.benchmarks.records import Comparison, MatchRule
from turnwise.benchmarks.values import Opaque

NAN, INF = float("nan"), float("inf")
ORACLES = ("", *sorted({name for table in ORACLE_BY_ENTRY_POINT.values() for name in table.values()}))


def accepts(expected: Any, result: Any, *, arguments: Any = (), atol: float = 0.0, oracle: str = "") -> bool:
    rule = MatchRule(Comparison.EVALPLUS, tolerance=atol, oracle=oracle)
    return evalplus_accepts(expected, result, arguments=arguments, rule=rule)


def label(*parts: Any) -> str:
    """Name a row of a table whose integers may be too long to print."""
    try:
        return " ".join(map(repr, parts))[:50]
    except ValueError:
        return "a long integer"


def _nest(value: Any, levels: int) -> Any:
    for _ in range(levels):
        value = [value]
    return value


CLOSENESS: list[tuple[Any, Any, float, bool]] = [
    (5, 5, 0, True),
    (5, 6, 0, False),
    (5, 5.0, 0, True),
    (5, 5.0000001, 0, False),
    (5, 6, 1e-4, False),
    (5, 5.00001, 1e-4, False),
    (True, 1, 0, True),
    (None, None, 0, True),
    ([1, 2], (1, 2), 0, False),
    ((1, 2), [1, 2], 0, False),
    ([1.0], (1.0,), 1e-4, False),
    ("a", "a", 0, True),
    ("a", "A", 1e-4, False),
    ({1, 2}, {2, 1}, 0, True),
    ({1: 1.0}, {1: 1.0}, 0, True),
    ({1: 1.0}, {1: 1.0000001}, 1e-4, False),
    (1.0, 1.0 + 9e-7, 0, True),
    (1.0, 1.0 + 2e-6, 0, False),
    (1.0, 1.00009, 1e-4, True),
    (1.0, 1.00011, 1e-4, False),
    (1e9, 1e9 + 90, 0, True),
    (1e9, 1e9 + 110, 0, False),
    (3.0000001, 3, 0, False),
    ([3.0000001], [3], 0, True),
    ([1.0, 2.0], [1.0, 2.0000001], 0, True),
    ([1.0, 2.0], [1.0], 0, False),
    ([1.0, 2], [1.0000001, 2], 0, False),
    ([1.0, 2], [1.0000001, 2], 1e-6, True),
    ([[1.0]], [[1.0000001]], 0, False),
    ([[1.0]], [[1.0000001]], 1e-6, True),
    ([1.0, "a"], [1.0000001, "a"], 1e-6, False),
    ([], [], 0, True),
    (1j, 1j + 1e-9, 0, False),
    (1j, 1j + 1e-9, 1e-6, True),
    (NAN, NAN, 1e-4, False),
    (1.0, NAN, 1e-4, False),
    (INF, INF, 0, True),
    (INF, 1.0, 0, False),
    (INF, -INF, 0, False),
    (1.0, INF, 0, False),
    ([INF, 1.0], [INF, 1.0000001], 0, True),
    ([INF, 1.0], [1.0, 1.0], 0, False),
    (10**400, 10**400 + 1, 1e-4, False),
    (1.0, 10**400, 1e-4, False),
    (Opaque("a.B"), Opaque("a.B"), 0, False),
]


@pytest.mark.parametrize(
    ("expected", "result", "atol", "accepted"), CLOSENESS, ids=[label(*row[:2]) for row in CLOSENESS]
)
def test_results_are_equal_or_close_and_of_one_type(expected: Any, result: Any, atol: float, accepted: bool) -> None:
    """atol 0 means 1e-6 where floats are expected; 1e-7 is relative; inf and nan are close to nothing else."""
    assert accepts(expected, result, atol=atol) is accepted


SPECIAL: list[tuple[str, Any, Any, Any, bool]] = [
    *[("anything", [], True, result, True) for result in (True, False, None, Opaque("a.B"), "x")],
    *[("or_zero", [4], 3, result, accepted) for result, accepted in ((3, True), (0, True), (2, False), ("", False))],
    *[
        ("same_set", [], (4, 5), result, accepted)
        for result, accepted in (
            *(((5, 4), True), ([5, 4, 4], True), ({4, 5}, True), ((4,), False), ((4, 5, 6), False)),
            *(([[4], [5]], False), (None, False), (4, False), (Opaque("a.B"), False)),
        )
    ],
    *[
        ("not_none", ["ab"], True, result, accepted)
        for result, accepted in (
            *((True, True), (False, False), (None, False), ("x", True), (0, True), ([], True)),
            (Opaque("re.Match"), True),
        )
    ],
    *[
        ("not_none", ["ab"], False, result, accepted)
        for result, accepted in ((True, False), (False, True), (None, True), ("x", False), (Opaque("re.Match"), False))
    ],
    # 3**2 + 2*3*4 = 33 with the slant height given; with the height given 9 + 2*3*hypot(1.5, 4) = 34.6
    *[("pyramid_surface", [3, 4], 33, result, accepted) for result, accepted in ((33, True), (35, True), (34, False))],
    # 12 and 345 as 012 and 345: 3 + 3 + 3
    *[("digit_distance", [12, 345], 6, result, accepted) for result, accepted in ((6, True), (9, True), (7, False))],
]


@pytest.mark.parametrize(("oracle", "arguments", "expected", "result", "accepted"), SPECIAL)
def test_a_special_task_accepts_what_its_oracle_says(
    oracle: str, arguments: Any, expected: Any, result: Any, accepted: bool
) -> None:
    assert accepts(expected, result, arguments=arguments, oracle=oracle) is accepted


@pytest.mark.parametrize(
    ("coefficients", "result", "accepted"),
    [
        ([1, 2], -0.5, True),
        ([1, 2], -0.50004, True),
        ([1, 2], -0.50006, False),
        ([-6, 11, -6, 1], 1.0, True),
        ([-6, 11, -6, 1], 3.0, True),
        ([-6, 11, -6, 1], 2, True),
        ([-6, 11, -6, 1], 2.5, False),
        ([1, 2], 0.5, False),
        *[([1, 2], result, False) for result in (None, "-0.5", [-0.5], NAN, INF, -0.5 + 0j, 10**400, Opaque("a.B"))],
    ],
)
def test_any_root_of_the_polynomial_is_right_within_the_tolerance(
    coefficients: list[int], result: Any, accepted: bool
) -> None:
    """HumanEval/32 is judged by the value of the polynomial, not by the canonical root."""
    assert accepts(-0.5, result, arguments=[coefficients], atol=1e-4, oracle="polynomial_root") is accepted


HOSTILE = (
    *(NAN, INF, -INF, 10**5000, -(10**400), 1e308, NAN + 1j, "x" * 10_000, "\ud800", b"\xff", None, True),
    *([], {}, set(), {10**5000: 1}, {(1,): {2}}, _nest(1, 190), _nest(1.0, 190), Opaque("a.B"), [Opaque("a.B")]),
)
EXPECTED = (0, 1.5, 10**400, INF, "a", None, True, (1, 2), [1.5], [[1.5]], {"a": 1}, {1}, 1j, _nest(1.5, 190))
ARGUMENTS = ((), (1,), (3, 4), ("a", "b"), (10**400, 1), (-12, 1.5), ([1, 2],), ([NAN],))


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("result", HOSTILE, ids=map(label, HOSTILE))
def test_no_result_breaks_the_judge(oracle: str, result: Any) -> None:
    for expected in EXPECTED:
        for arguments in ARGUMENTS:
            for atol in (0.0, 1e-4):
                assert accepts(expected, result, arguments=arguments, atol=atol, oracle=oracle) in (True, False)


@pytest.mark.parametrize(
    ("oracle", "arguments", "answer"),
    [("pyramid_surface", [10**400, 1], 10**800), ("digit_distance", [10**5000, 1], 2), ("digit_distance", [-12, 3], 4)],
    ids=["pyramid", "digits", "negative"],
)
def test_the_canonical_answer_is_right_where_the_other_one_cannot_be_computed(
    oracle: str, arguments: list[int], answer: int
) -> None:
    assert accepts(answer, answer, arguments=arguments, oracle=oracle)
