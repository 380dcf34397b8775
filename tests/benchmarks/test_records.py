"""Records survive JSON, and say of themselves what scores are made of."""

import json
from dataclasses import replace
from typing import Any

import pytest

from turnwise.records.codec import from_json, to_json
from turnwise.records.problem import Comparison, Flag, Limits, MatchRule, Problem, TestCase
from turnwise.records.report import Environment, Report, TestResult, Verdict

ENVIRONMENT = Environment("reference", "reference", "CPython 3.11", "tokens")
RULE, LIMITS = MatchRule(Comparison.EVALPLUS, True, True, 1e-4, "same_set"), Limits(0.1, 5, 7)
PLAIN = Problem("taco/5", "taco", "test", "Say \ud800 é.", (TestCase("1\n", "2\n"),), ())
CALL = replace(PLAIN, id="mbpp_plus/Mbpp/2", hidden_tests=(TestCase("[2]", None), TestCase("[3]", "")), rule=RULE)
CALL = replace(CALL, entry_point="f", starter_code="def f():", prelude="import math", limits=LIMITS, flags=tuple(Flag))
FULL = replace(CALL, input_file="in", output_file="out", difficulty="HARD", special_judge_case=3, solutions=("a", "b"))


def report(verdict: Verdict, public: str = "", hidden: str | None = "") -> Report:
    """Return a report whose test results are given as letters: p passed, w wrong answer."""
    verdicts = {"p": Verdict.PASSED, "w": Verdict.WRONG_ANSWER}
    results = [
        tuple(TestResult(index, verdicts[letter], 0.25, 2**40, "out\0", "no") for index, letter in enumerate(letters))
        for letters in (public, hidden or "")
    ]
    return Report("taco/5", verdict, results[0], None if hidden is None else results[1], ENVIRONMENT, "text")


_REPORTS = (report(Verdict.PASSED, "pp", "p"), report(Verdict.PASSED, "p", None), report(Verdict.NO_CODE))
_TESTS = (TestCase("", None), TestCase("\ud800\0", "é"), *[TestResult(7, verdict) for verdict in Verdict])


@pytest.mark.parametrize(
    "record",
    [LIMITS, MatchRule(), RULE, *_TESTS, PLAIN, FULL, ENVIRONMENT, *_REPORTS],
    ids=lambda record: type(record).__name__,
)
def test_a_record_comes_back_from_json_as_itself(record: Any) -> None:
    again = from_json(type(record), json.loads(json.dumps(to_json(record))))
    assert again == record
    assert hash(again) == hash(record)


@pytest.mark.parametrize("flag", Flag)
def test_only_three_flags_forbid_scoring(flag: Flag) -> None:
    forbidden = flag in {Flag.NO_HIDDEN_TESTS, Flag.INCOMPLETE, Flag.CONTRADICTORY, Flag.INTERACTIVE}
    assert replace(PLAIN, flags=(Flag.MULTIPLE_ANSWERS, flag)).is_scorable is not forbidden


def test_a_problem_knows_its_name_and_how_it_is_run() -> None:
    assert (PLAIN.name, PLAIN.is_function_call, PLAIN.is_scorable) == ("5", False, True)
    assert (FULL.name, FULL.is_function_call, FULL.is_scorable) == ("Mbpp/2", True, False)


@pytest.mark.parametrize(
    ("judged", "passed", "public_passed"),
    [
        (report(Verdict.PASSED, "pp", "ppp"), True, True),
        (report(Verdict.PASSED, "pp", None), False, True),
        (report(Verdict.WRONG_ANSWER, "pwpw", ""), False, False),
        (report(Verdict.WRONG_ANSWER, "pp", "ppw"), False, True),
        (report(Verdict.WRONG_ANSWER, "w", None), False, False),
        (report(Verdict.NO_CODE), False, False),
        (report(Verdict.NO_CODE, "", None), False, False),
        (report(Verdict.COMPILE_ERROR), False, False),
        (report(Verdict.INFRASTRUCTURE_FAILURE), False, False),
    ],
)
def test_a_report_says_what_passed(judged: Report, passed: bool, public_passed: bool) -> None:
    """passed needs the hidden tests; public_passed needs a program that ran."""
    assert (judged.passed, judged.public_passed) == (passed, public_passed)
