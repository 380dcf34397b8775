"""Sizes: whatever a problem or a program is like, the statement stands whole and the feedback within its limit."""

from dataclasses import replace
from pathlib import Path

import pytest

from turnwise.benchmarks import values
from turnwise.benchmarks.catalog import load_problems
from turnwise.records.problem import Problem, TestCase
from turnwise.records.report import BlockRun, Environment, Report, TestResult, Trace, Verdict
from turnwise.records.settings import FEEDBACK_KINDS
from turnwise.tasks.dialogue import render_statement
from turnwise.tasks.feedback import FEEDBACK_CHARACTERS, feedback_text
from turnwise.tasks.prompts import PromptSet

PROMPTS = PromptSet.load()
ENVIRONMENT = Environment("planned", "none", "no Python", "tokens")
FAILED = (Verdict.WRONG_ANSWER, Verdict.RUNTIME_ERROR, Verdict.TIME_LIMIT, Verdict.MEMORY_LIMIT, Verdict.OUTPUT_LIMIT)
PROGRAM = "x = 1  # " + "y" * 5000 + "\n" + "z = 2\n" * 5000
MANY = {f"name{number}": "v" * 105 for number in range(12)}
TRACE = Trace(0, 10**9, tuple(BlockRun(line, 5000, MANY, dict.fromkeys(MANY, "w" * 105)) for line in range(1, 11)))


def _longest(problem: Problem, kind: str) -> int:
    """Return the length of the longest feedback on programs that fail every test in each way, as loudly as they can."""
    lengths = []
    for verdict in FAILED:
        results = tuple(
            TestResult(index, verdict, output="o" * 4096, error="e\n" * 2048)
            for index in range(len(problem.public_tests))
        )
        report = Report(problem.id, verdict, results, None, ENVIRONMENT, trace=TRACE if kind == "ldb" else None)
        lengths.append(len(feedback_text(kind, problem, report, PROMPTS, program=PROGRAM)))
    uncompiled = Report(problem.id, Verdict.COMPILE_ERROR, (), None, ENVIRONMENT, "x" * 100_000)
    lengths.append(len(feedback_text("failed_tests", problem, uncompiled, PROMPTS)))
    return max(lengths)


@pytest.mark.parametrize("kind", FEEDBACK_KINDS)
@pytest.mark.parametrize("tests", [1, 20])
def test_feedback_on_tests_of_three_megabytes_stays_small(kind: str, tests: int) -> None:
    """Whatever the kind and however many tests there are."""
    stdin = Problem("b/p", "b", "test", "s", (TestCase("i" * 3_000_000, "e" * 3_000_000),) * tests, ())
    assert _longest(stdin, kind) <= FEEDBACK_CHARACTERS
    call = TestCase(values.dumps([list(range(10_000))]), values.dumps("e" * 10_000))
    assert _longest(replace(stdin, public_tests=(call,) * tests, entry_point="f"), kind) <= FEEDBACK_CHARACTERS


@pytest.mark.data
def test_real_problems_keep_their_statement_and_the_limit(data_dir: Path) -> None:
    """All of CodeContests' test problems, and the fifty of TACO with the largest public tests."""
    problems = [*load_problems("codecontests", data_dir=data_dir).problems]
    taco = load_problems("taco", data_dir=data_dir).problems
    problems += sorted(taco, key=lambda one: -sum(len(test.input) for test in one.public_tests))[:50]
    assert len(problems) == 160
    for problem in problems:
        assert problem.statement.strip() in render_statement(PROMPTS, problem)
        for kind in FEEDBACK_KINDS:
            assert _longest(problem, kind) <= FEEDBACK_CHARACTERS, (problem.id, kind)
