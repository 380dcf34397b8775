"""HumanEval+ and MBPP+ results are accepted as evalplus accepts them, and no result breaks the judge."""

from typing import Any

import pytest

from turnwise.benchmarks.oracles import ORACLE_BY_ENTRY_POINT, evalplus_accepts
from turnwise.benchmarks.results import Result
from turnwise.benchmarks.values import MAXIMUM_DEPTH, Opaque, dumps
from turnwise.records.problem import Comparison, MatchRule

NAN, INF, OPAQUE = float("nan"), float("inf"), Opaque("a.B")
ORACLES = ("", *sorted({name for table in ORACLE_BY_ENTRY_POINT.values() for name in table.values()}))


def accepts(expected: Any, result: Any, *, arguments: Any = (), atol: float = 0.0, oracle: str = "") -> bool:
    rule = MatchRule(Comparison.EVALPLUS, tolerance=atol, oracle=oracle)
    line = Result(dumps(result).encode())
    return evalplus_accepts(expected, line, arguments=arguments, rule=rule)


def label(value: Any) -> str:
    """Name a value that may be too long to print."""
    try:
        return repr(value)[:40]
    except ValueError:
        return "a long integer"


# An expected value, the task's atol, results that are accepted, results that are not.
CLOSENESS: list[tuple[Any, float, tuple[Any, ...], tuple[Any, ...]]] = [
    (5, 0, (5, 5.0), (6, 5.0000001, "5", None)),
    (5, 1e-4, (5,), (6, 5.00001)),
    (True, 0, (True, 1), (False, "True")),
    (None, 0, (None,), (False, 0, OPAQUE)),
    ([1, 2], 0, ([1, 2],), ((1, 2), [2, 1], [1], {1, 2})),
    ((1, 2), 1e-4, ((1, 2), (1.0, 2.00001)), ([1, 2], (1,))),
    ("a", 1e-4, ("a",), ("A", b"a", ["a"])),
    ({1, 2}, 0, ({2, 1},), ([1, 2], {1})),
    ({1: 1.0}, 1e-4, ({1: 1.0},), ({1: 1.0000001}, {})),
    (1.0, 0, (1, 1.0 + 9e-7, True), (1.0 + 2e-6, NAN, INF, 10**400, "1.0", OPAQUE)),
    (1.0, 1e-4, (1.00009,), (1.00011,)),
    (1e9, 0, (1e9 + 90,), (1e9 + 110,)),
    (3.0000001, 0, (3.0,), (3,)),
    ([3.0000001], 0, ([3],), ((3.0,), [3.1])),
    ([1.0, 2], 0, ([1, 2.0],), ([1.0000001, 2],)),
    ([1.0, 2], 1e-6, ([1.0000001, 2],), ([1.0], [1.0, 2, 3])),
    ([[1.0]], 0, ([[1]],), ([[1.0000001]],)),
    ([[1.0]], 1e-6, ([[1.0000001]],), ([[1.1]], [1.0])),
    ([1.0, "a"], 1e-6, ([1.0, "a"],), ([1.0000001, "a"],)),
    ([], 0, ([],), ((), None, 0)),
    (1j, 0, (1j,), (1j + 1e-9,)),
    (1j, 1e-6, (1j + 1e-9,), (1j + 1e-5, 1.0)),
    (NAN, 1e-4, (), (NAN, 1.0, None)),
    (INF, 0, (INF,), (1.0, -INF, NAN)),
    ([INF, 1.0], 0, ([INF, 1.0000001],), ([1.0, 1.0], [-INF, 1.0])),
    (10**400, 1e-4, (10**400,), (10**400 + 1, 1.0)),
    (OPAQUE, 0, (), (Opaque("a.B"), None, "a.B")),
    ([OPAQUE], 1e-4, (), ([Opaque("a.B")], [None])),
]


@pytest.mark.parametrize(("expected", "atol", "accepted", "refused"), CLOSENESS, ids=map(label, range(len(CLOSENESS))))
def test_results_are_equal_or_close_and_of_one_type(
    expected: Any, atol: float, accepted: tuple[Any, ...], refused: tuple[Any, ...]
) -> None:
    """atol 0 means 1e-6 where floats are expected; 1e-7 is relative; inf and nan are close to nothing else."""
    assert [result for result in accepted if not accepts(expected, result, atol=atol)] == []
    assert [result for result in refused if accepts(expected, result, atol=atol)] == []


CUBIC = [[-6, 11, -6, 1]]  # (x - 1) (x - 2) (x - 3)
SPECIAL: list[tuple[str, Any, Any, tuple[Any, ...], tuple[Any, ...]]] = [
    ("anything", ["a", "b"], True, (True, False, None, OPAQUE, NAN), ()),
    ("or_zero", [4], 3, (3, 0, 0.0), (2, "", None, OPAQUE)),
    ("same_set", [], (4, 5), ((5, 4), [5, 4, 4], {4, 5}), ((4,), (4, 5, 6), [[4], [5]], None, 4, OPAQUE)),
    ("not_none", ["ab"], True, (True, "x", 0, [], OPAQUE), (False, None)),
    ("not_none", ["ab"], False, (False, None), (True, "x", 0, OPAQUE)),
    # 3 * 3 + 2 * 3 * 4, or with 4 as the height round(3 * 3 + 2 * 3 * hypot(1.5, 4))
    ("pyramid_surface", [3, 4], 33, (33, 35, 33.0), (34, "33", None, OPAQUE)),
    # 012 and 345: 3 + 3 + 3
    ("digit_distance", [12, 345], 6, (6, 9), (7, "9", None, OPAQUE)),
    # HumanEval/32 is judged by the value of the polynomial within atol, not by the canonical root
    ("polynomial_root", CUBIC, 1.0, (1.0, 2.0, 3.0, 2, 1.00004), (1.00006, 2.5, 0, NAN, INF, 10**400)),
    ("polynomial_root", CUBIC, 1.0, (), (None, "1.0", [1.0], 1 + 0j, OPAQUE)),
]


@pytest.mark.parametrize(("oracle", "arguments", "expected", "accepted", "refused"), SPECIAL)
def test_a_special_task_accepts_what_its_oracle_says(
    oracle: str, arguments: Any, expected: Any, accepted: tuple[Any, ...], refused: tuple[Any, ...]
) -> None:
    task = {"arguments": arguments, "atol": 1e-4 if oracle == "polynomial_root" else 0, "oracle": oracle}
    assert [result for result in accepted if not accepts(expected, result, **task)] == []
    assert [result for result in refused if accepts(expected, result, **task)] == []


def nested(value: Any) -> Any:
    for _ in range(MAXIMUM_DEPTH - 2):
        value = [value]
    return value


HOSTILE: tuple[Any, ...] = (
    *(NAN, INF, -INF, 10**5000, -(10**400), 1e308, NAN + 1j, "x" * 10_000, "\ud800", b"\xff", None, True),
    *([], {}, set(), {10**5000: 1}, {(1,): {2}}, nested(1), nested(1.0), OPAQUE, [OPAQUE]),
)
EXPECTED = (0, 1.5, 10**400, INF, "a", None, True, (1, 2), [1.5], [[1.5]], {"a": 1}, {1}, 1j, nested(1.5))
ARGUMENTS = ((), (1,), (3, 4), ("a", "b"), (10**400, 1), (-12, 1.5), ([1, 2],), ([NAN],))


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("result", HOSTILE, ids=map(label, HOSTILE))
def test_no_result_breaks_the_judge(oracle: str, result: Any) -> None:
    for expected in EXPECTED:
        for arguments in ARGUMENTS:
            for atol in (0.0, 1e-4):
                assert accepts(expected, result, arguments=arguments, atol=atol, oracle=oracle) in (True, False)


def test_a_list_made_to_collide_is_a_wrong_answer_at_once() -> None:
    """As a set it would take the judge minutes."""
    colliding = [number * (2**61 - 1) for number in range(50_000)]
    assert not accepts((1, 2), colliding, arguments=[(1,), (2,)], oracle="same_set")
    assert accepts((1, 2), [1, 2] * 10_000, arguments=[(1,), (2,)], oracle="same_set")


@pytest.mark.parametrize(
    ("oracle", "first"),
    [("pyramid_surface", 10**400), ("digit_distance", 10**5000), ("digit_distance", -12)],
    ids=label,
)
def test_the_expected_answer_is_right_where_the_other_one_cannot_be_computed(oracle: str, first: int) -> None:
    assert accepts(7, 7, arguments=[first, 1], oracle=oracle)
