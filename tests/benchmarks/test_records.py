"""Records survive JSON, and say of themselves what scores are made of."""

import dataclasses
import json
from typing import Any

import pytest

from turnwise.benchmarks.limits import Limits
from turnwise.benchmarks.records import (
    UNSCORABLE_FLAGS,
    Comparison,
    Environment,
    Flag,
    MatchRule,
    Problem,
    Report,
    TestCase,
    TestResult,
    Verdict,
)

ENVIRONMENT = Environment("reference", "reference", "CPython 3.11", "tokens")
PLAIN = Problem("taco/5", "taco", "test", "Say \ud800 é.", (TestCase("1\n", "2\n"),), ())
FULL = Problem(
    "mbpp_plus/Mbpp/2",
    "mbpp_plus",
    "test",
    "statement",
    (TestCase("[1]", None),),
    (TestCase("[2]", '{"t": [1]}'), TestCase("[3]", "")),
    Limits(0.1, 5, 7),
    MatchRule(Comparison.EVALPLUS, True, True, 1e-4, "same_set"),
    "f",
    "def f(x):",
    "import math",
    "input.txt",
    "output.txt",
    "HARD",
    tuple(Flag),
    3,
    ("a", "b"),
)


def result(index: int, verdict: Verdict) -> TestResult:
    return TestResult(index, verdict, 0.25, 2**40, "out\0", "error")


def report(verdict: Verdict, public: str = "", hidden: str | None = "") -> Report:
    """Return a report of test results given as letters: p passed, w wrong answer."""
    verdicts = {"p": Verdict.PASSED, "w": Verdict.WRONG_ANSWER}
    results = [
        None if letters is None else tuple(result(i, verdicts[letter]) for i, letter in enumerate(letters))
        for letters in (public, hidden)
    ]
    return Report("taco/5", verdict, results[0] or (), results[1], ENVIRONMENT, "")


@pytest.mark.parametrize(
    "record",
    [
        Limits(0.1, 5, 7),
        MatchRule(),
        FULL.rule,
        TestCase("", None),
        TestCase("\ud800\0", "é"),
        PLAIN,
        FULL,
        *[result(7, verdict) for verdict in Verdict],
        ENVIRONMENT,
        report(Verdict.PASSED, "pp", "p"),
        report(Verdict.PASSED, "p", None),
        report(Verdict.NO_CODE),
        dataclasses.replace(report(Verdict.COMPILE_ERROR), error="SyntaxError"),
    ],
    ids=lambda record: type(record).__name__,
)
def test_a_record_comes_back_from_json_as_itself(record: Any) -> None:
    again = type(record).from_json(json.loads(json.dumps(record.to_json())))
    assert again == record
    assert again.to_json() == record.to_json()


@pytest.mark.parametrize("record", [PLAIN, ENVIRONMENT, report(Verdict.PASSED), Limits(), MatchRule()])
def test_a_record_cannot_be_changed_and_can_be_hashed(record: Any) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, dataclasses.fields(record)[0].name, None)
    assert isinstance(hash(record), int)


@pytest.mark.parametrize("flag", Flag)
def test_only_three_flags_forbid_scoring(flag: Flag) -> None:
    problem = dataclasses.replace(PLAIN, flags=(Flag.MULTIPLE_ANSWERS, flag))
    assert problem.is_scorable is (flag not in UNSCORABLE_FLAGS)
    assert {Flag.NO_HIDDEN_TESTS, Flag.INCOMPLETE, Flag.INTERACTIVE} == UNSCORABLE_FLAGS


def test_a_problem_knows_its_name_and_how_it_is_run() -> None:
    assert (PLAIN.name, PLAIN.is_function_call, PLAIN.is_scorable) == ("5", False, True)
    assert (FULL.name, FULL.is_function_call, FULL.is_scorable) == ("Mbpp/2", True, False)


@pytest.mark.parametrize(
    ("judged", "passed", "public_passed", "failure"),
    [
        (report(Verdict.PASSED, "pp", "ppp"), True, True, None),
        (report(Verdict.PASSED, "pp", None), False, True, None),
        (report(Verdict.WRONG_ANSWER, "pw", ""), False, False, ("public", 1)),
        (report(Verdict.WRONG_ANSWER, "pwpw", ""), False, False, ("public", 1)),
        (report(Verdict.WRONG_ANSWER, "pp", "ppw"), False, True, ("hidden", 2)),
        (report(Verdict.WRONG_ANSWER, "w", None), False, False, ("public", 0)),
        (report(Verdict.NO_CODE), False, False, None),
        (report(Verdict.NO_CODE, "", None), False, False, None),
        (report(Verdict.COMPILE_ERROR), False, False, None),
        (report(Verdict.INFRASTRUCTURE_FAILURE), False, False, None),
    ],
)
def test_a_report_says_what_passed(
    judged: Report, passed: bool, public_passed: bool, failure: tuple[str, int] | None
) -> None:
    """passed needs the hidden tests; public_passed needs a program that ran; the first failure is public first."""
    assert (judged.passed, judged.public_passed) == (passed, public_passed)
    expected = None if failure is None else getattr(judged, failure[0])[failure[1]]
    assert judged.first_failure == expected
