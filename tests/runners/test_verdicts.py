"""The verdict cache: its key covers what can change a verdict, its file survives being cut."""

from dataclasses import replace
from pathlib import Path

import pytest

from turnwise.benchmarks.limits import Limits
from turnwise.benchmarks.records import Environment, MatchRule, Problem, Report, TestCase, TestResult, Verdict
from turnwise.runners.execution.interface import Program
from turnwise.runners.verdicts import JsonLinesCache, NoCache, digest_tests, verdict_key

PROBLEM = Problem("b/p", "b", "test", "", (TestCase("1", "2"),), (TestCase("3", "4"),))
PROGRAM = Program(b"print(2)")
ENVIRONMENT = Environment("reference 1", "none", "CPython 3.11.7, numpy 2.0", "tokens")
REPORT = Report("b/p", Verdict.PASSED, (TestResult(0, Verdict.PASSED, 0.1, 5, "2", ""),), (), ENVIRONMENT)


def _key(
    problem: Problem = PROBLEM, program: Program = PROGRAM, environment: Environment = ENVIRONMENT, hidden: bool = True
) -> str:
    tests = digest_tests(problem, hidden=hidden)
    return verdict_key(problem, program, tests, environment, language="python")


def test_equal_questions_have_equal_keys() -> None:
    """The key is a function of its parts."""
    assert _key() == _key(replace(PROBLEM, statement="other words", difficulty="HARD"))


@pytest.mark.parametrize(
    "other",
    [
        _key(program=replace(PROGRAM, source=b"print(3)")),
        _key(program=replace(PROGRAM, entry_point="f")),
        _key(program=replace(PROGRAM, prelude="import re")),
        _key(program=replace(PROGRAM, input_file="a")),
        _key(program=replace(PROGRAM, output_file="a")),
        _key(replace(PROBLEM, limits=Limits(2.0))),
        _key(replace(PROBLEM, rule=MatchRule(ignore_case=True))),
        _key(replace(PROBLEM, hidden_tests=(TestCase("3", "5"),))),
        _key(replace(PROBLEM, public_tests=PROBLEM.public_tests + PROBLEM.hidden_tests, hidden_tests=())),
        _key(hidden=False),
        *(_key(environment=replace(ENVIRONMENT, **{name: "other"})) for name in Environment.__slots__),
    ],
)
def test_whatever_can_change_a_verdict_changes_the_key(other: str) -> None:
    """Program, tests, limits, rule and environment are all in it."""
    assert other != _key()


def test_a_cache_gives_back_what_was_put_also_later(tmp_path: Path) -> None:
    """A second cache knows what all workers stored in the folder."""
    path = tmp_path / "deep"
    first = JsonLinesCache(path, "one")
    first.put("k", REPORT)
    assert first.get("k") == REPORT and first.get("other") is None
    first.close()
    second = JsonLinesCache(path, "two")
    assert second.get("k") == REPORT
    second.close()


@pytest.mark.parametrize("tail", [b'{"key": "torn", "rep', b"\0" * 100, b"[1]\n", b'{"key": 1, "report": {}}\n'])
def test_a_torn_tail_costs_only_itself(tmp_path: Path, tail: bytes) -> None:
    """What stands before and what is appended after a damaged line is whole."""
    cache = JsonLinesCache(tmp_path, "one")
    cache.put("a", REPORT)
    cache.close()
    with (tmp_path / "one.jsonl").open("ab") as file:
        file.write(tail)
    cache = JsonLinesCache(tmp_path, "one")
    cache.put("b", REPORT)
    cache.close()
    again = JsonLinesCache(tmp_path, "other")
    assert again.get("a") == again.get("b") == REPORT
    again.close()


def test_infrastructure_failures_are_not_kept(tmp_path: Path) -> None:
    """Neither a report that is one nor a report that holds one."""
    cache = JsonLinesCache(tmp_path, "one")
    cache.put("a", replace(REPORT, verdict=Verdict.INFRASTRUCTURE_FAILURE))
    spoiled = TestResult(0, Verdict.INFRASTRUCTURE_FAILURE)
    cache.put("b", replace(REPORT, verdict=Verdict.WRONG_ANSWER, hidden=(spoiled,)))
    assert cache.get("a") is None and cache.get("b") is None
    cache.close()


def test_no_cache_keeps_nothing() -> None:
    """What parity tests use."""
    cache = NoCache()
    cache.put("a", REPORT)
    assert cache.get("a") is None
