"""HumanEval+ and MBPP+ agree with evalplus's own verdicts, and every canonical solution passes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.records.problem import Problem
from turnwise.runners.execution.interface import Executor
from turnwise.runners.judging.expected import resolve_expected
from turnwise.runners.judging.judge import Judge

Rows = Callable[[str], list[dict[str, Any]]]

pytestmark = [pytest.mark.data, pytest.mark.slow]

# Judged before evalplus compared these tasks as sets (docs/parity.md).
EXPLAINED = {"humaneval_plus": set[str](), "mbpp_plus": {"Mbpp/2", "Mbpp/232", "Mbpp/579"}}
RECORDED = {"humaneval_plus": "humanevalplus_evalplus", "mbpp_plus": "mbppplus_evalplus"}
AGREEMENT = 0.99

# Their canonical solutions take more time than those of all other tasks together.
SLOW = {*(f"HumanEval/{number}" for number in (15, 130, 139)), "Mbpp/123", "Mbpp/599"}

each_benchmark = pytest.mark.parametrize(
    "benchmark",
    [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ("humaneval_plus", "mbpp_plus")],
)
# Of the others every third is tested with every change, and these, which evalplus or its data once had wrong.
EVERY = 3
ALWAYS = {"HumanEval/32", "Mbpp/580", "Mbpp/720"}
each_part = pytest.mark.parametrize("part", ["quick", pytest.param("rest", marks=pytest.mark.long)])


def _problems(benchmark: str, part: str, data_dir: Path, executor: Executor, cache_dir: Path) -> dict[str, Problem]:
    everything = load_problems(benchmark, data_dir=data_dir).problems
    quick = ALWAYS.union([one.name for one in everything if one.name not in SLOW][::EVERY])
    loaded = [one for one in everything if (one.name in quick) == (part == "quick")]
    return {problem.name: problem for problem in resolve_expected(loaded, executor, cache_dir=cache_dir)}


@each_benchmark
@each_part
def test_canonical_solutions_pass(
    benchmark: str, part: str, data_dir: Path, executor: Executor, cache_dir: Path
) -> None:
    """Every canonical solution passes, also those of HumanEval/32 and Mbpp/580, 599 and 720."""
    problems = _problems(benchmark, part, data_dir, executor, cache_dir)
    judge = Judge(executor)
    failed = {
        name: report
        for name, problem in problems.items()
        if not (report := judge.judge(problem, problem.solutions[0])).passed
    }
    assert failed == {}


@each_benchmark
@each_part
def test_recorded_answers_agree_with_evalplus(
    benchmark: str, part: str, data_dir: Path, recorded: Rows, executor: Executor, cache_dir: Path
) -> None:
    """Base and plus status each differ on at most 1 % of all answers, and every difference is explained."""
    problems = _problems(benchmark, part, data_dir, executor, cache_dir)
    everything = recorded(f"recorded/{RECORDED[benchmark]}.jsonl.gz")
    rows = [row for row in everything if row["task_id"] in problems]
    judge = Judge(executor)
    base_differs, plus_differs = set(), set()
    for row in rows:
        report = judge.judge(problems[row["task_id"]], row["turns"][0]["code"])
        if report.public_passed != (row["base_status"] == "pass"):
            base_differs.add(row["task_id"])
        if report.passed != (row["plus_status"] == "pass"):
            plus_differs.add(row["task_id"])
    assert base_differs | plus_differs <= EXPLAINED[benchmark]
    assert max(len(base_differs), len(plus_differs)) <= (1 - AGREEMENT) * len(everything)
