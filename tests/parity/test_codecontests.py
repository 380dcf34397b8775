"""Verdicts on real CodeContests programs agree with what was recorded; every difference is explained."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.records.problem import Problem
from turnwise.records.report import Verdict
from turnwise.runners.execution.interface import Executor
from turnwise.runners.judging.judge import Judge, JudgeRequest

Rows = Callable[[str], list[dict[str, Any]]]

pytestmark = [pytest.mark.data, pytest.mark.slow]

PARTS = 3
each_part = pytest.mark.parametrize(
    "part", [0, *(pytest.param(part, marks=pytest.mark.long) for part in range(1, PARTS))]
)

# The recorded check ran every public test, and at most this many private and as many generated ones.
TESTS_OF_A_KIND = 60
# Expected "3.162277660", printed "3.1622776601683795": the recorded check knew no tolerance (docs/parity.md).
EXPLAINED_PUBLIC = {"1575_B. Building an Amusement Park"}


def _as_recorded(problem: Problem, private: int) -> Problem:
    hidden = problem.hidden_tests
    kept = hidden[:private][:TESTS_OF_A_KIND] + hidden[private:][:TESTS_OF_A_KIND]
    return replace(problem, hidden_tests=kept)


@each_part
def test_recorded_programs_get_their_recorded_verdicts(
    part: int, data_dir: Path, recorded: Rows, executor: Executor
) -> None:
    """Each of the 256 programs with a recorded verdict agrees on the whole; public verdicts differ where explained."""
    private = {row["name"]: len(row["private_tests"]["input"]) for row in recorded("codecontests/test.jsonl.gz")}
    problems = {
        problem.name: _as_recorded(problem, private[problem.name])
        for problem in load_problems("codecontests", data_dir=data_dir).problems
    }
    rows = [row for row in recorded("recorded/codecontests.jsonl.gz") if row["_our_verdict"]]
    assert len(rows) == 256
    judge = Judge(executor)
    differing = []
    for row in rows[part::PARTS]:
        report = judge.judge(problems[row["task_id"]], row["turns"][0]["code"])
        then = row["_our_verdict"]
        assert report.passed == then["passed"], (
            row["task_id"],
            row["model"],
            row["method"],
            report,
        )
        if report.public_passed != then["public_passed"]:
            differing.append(row["task_id"])
    assert set(differing) <= EXPLAINED_PUBLIC
    assert len(differing) <= 0.01 * len(rows)


@each_part
def test_human_solutions_pass_the_tests_they_were_checked_on(
    part: int, data_dir: Path, recorded: Rows, executor: Executor
) -> None:
    """Each human solution recorded as exact passes (178); float and case ones pass by tolerance; the rest fails."""
    problems = {p.name: p for p in load_problems("codecontests", split="train", data_dir=data_dir).problems}
    rows = recorded("codecontests/train_subset.jsonl.gz")[part::PARTS]
    requests, checks = [], []
    for row in rows:
        problem, check = problems[row["name"]], row["_reference_check"]
        tests = (problem.public_tests + problem.hidden_tests)[: check["tests_run"]]
        public = len(problem.public_tests)
        checked = replace(problem, public_tests=tests[:public], hidden_tests=tests[public:])
        requests.append(JudgeRequest(checked, problem.solutions[0]))
        checks.append(check["verdict"].split(":")[0])
    verdicts = [report.verdict for report in Judge(executor).judge_many(requests)]
    unexpected = [
        (request.problem.name, check, verdict)
        for request, check, verdict in zip(requests, checks, verdicts, strict=True)
        if verdict not in _EXPECTED[check]
    ]
    assert unexpected == []


_FAILS = {Verdict.WRONG_ANSWER, Verdict.RUNTIME_ERROR}
_EXPECTED = {
    "exact": {Verdict.PASSED},
    "float": {Verdict.PASSED},
    "case": {Verdict.PASSED},
    "permuted": {Verdict.WRONG_ANSWER},
    "wrong": {Verdict.WRONG_ANSWER},
    "wrong-samelen": {Verdict.WRONG_ANSWER},
    "rte": {Verdict.RUNTIME_ERROR},
}
