"""Recorded programs on problems with several right answers: what checkers change, and that they change nothing else."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.records.problem import Problem
from turnwise.records.report import Report, Verdict
from turnwise.records.settings import JudgeSettings
from turnwise.runners.execution.interface import Executor
from turnwise.runners.judging.checking import Checkers
from turnwise.runners.judging.judge import Judge, JudgeRequest
from turnwise.runners.loading import Machine, as_judged

pytestmark = [pytest.mark.data, pytest.mark.slow]

# Each was read (docs/parity.md): equality refuses them at an output that is right all the same.
RIGHT_BY_CHECKER = {
    "1579_D. Productive Meeting": 1,
    "1586_A. Windblume Ode": 9,
    "1591_E. Frequency Queries": 1,
    "1594_A. Consecutive Sum Riddle": 1,
}
# Programs that are judged alike but for tests whose input breaks the statement.
RIGHT_ON_VALID_TESTS = {"1579_D. Productive Meeting": 1, "1582_B. Luntik and Subsequences": 1}


@pytest.fixture(scope="module")
def machine(executor: Executor, cache_dir: Path) -> Iterator[Machine]:
    """The machine of this test run, its checkers with it."""
    with Checkers() as checkers:
        yield Machine(executor, cache_dir, workers=2, checkers=checkers)


def _judge(
    machine: Machine, problems: list[Problem], programs: list[tuple[str, str]], settings: JudgeSettings
) -> list[Report]:
    known = {one.name: one for one in as_judged("task", problems, machine, settings)}
    judge = Judge(machine.executor, workers=2, checkers=machine.checkers)
    return list(judge.judge_many(JudgeRequest(known[name], program) for name, program in programs))


def _programs(recorded: Callable[[str], list[dict[str, Any]]], names: set[str]) -> list[tuple[str, str]]:
    rows = recorded("recorded/codecontests.jsonl.gz")
    return [
        (row["task_id"], row["turns"][-1]["code"])
        for row in rows
        if row["task_id"] in names and row["turns"] and row["turns"][-1].get("code")
    ]


def test_checkers_make_right_what_is_right_and_nothing_wrong(
    full_dir: Path, recorded: Callable[[str], list[dict[str, Any]]], machine: Machine
) -> None:
    """Those known by hand become right; no program that equality passes becomes wrong."""
    problems = load_problems("codecontests", data_dir=full_dir).scorable
    named = {*RIGHT_BY_CHECKER, *RIGHT_ON_VALID_TESTS}
    chosen = [one for one in problems if one.name in named]
    programs = _programs(recorded, named)
    published, valid, checked = (
        _judge(machine, chosen, programs, JudgeSettings(answers=answers, tests=tests))
        for answers, tests in (("equality", "all"), ("equality", "valid"), ("checkers-1", "valid"))
    )
    for before, after, expected in ((published, valid, RIGHT_ON_VALID_TESTS), (valid, checked, RIGHT_BY_CHECKER)):
        triples = list(zip(programs, before, after, strict=True))
        assert not [name for (name, _), was, now in triples if was.passed and not now.passed]
        assert Counter(name for (name, _), was, now in triples if now.passed and not was.passed) == expected
    found = {one.verdict for reports in (published, valid, checked) for one in reports}
    assert Verdict.INFRASTRUCTURE_FAILURE not in found


def test_programs_of_special_judged_rows_of_taco_are_right(
    data_dir: Path, recorded: Callable[[str], list[dict[str, Any]]], machine: Machine
) -> None:
    """The one program of each row whose tests are complete, most of which equality refuses."""
    problems = [one for one in load_problems("taco", data_dir=data_dir).scorable if one.special_judge_case == 1]
    judged = as_judged("task", problems, machine, JudgeSettings())
    checked = [one for one in judged if one.is_checked and one.is_scorable and one.solutions]
    reports = _judge(machine, checked, [(one.name, one.solutions[0]) for one in checked], JudgeSettings())
    assert [one.name for one, report in zip(checked, reports, strict=True) if not report.passed] == []
    assert {one.name for one in checked} >= {"83", "179", "211", "702", "832", "869"}
    assert sum(report.checked for report in reports) > 50
