"""Where the right result is too long to be kept, its digest tells it from every other, and nobody holds it."""

import json
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from turnwise.benchmarks import values
from turnwise.benchmarks.digests import read_digest
from turnwise.records.problem import (
    FUNCTION_MEMORY_LIMIT_BYTES,
    OUTPUT_LIMIT_BYTES,
    Comparison,
    Flag,
    Limits,
    MatchRule,
    Problem,
    TestCase,
)
from turnwise.records.report import Verdict
from turnwise.runners.execution.interface import Executor
from turnwise.runners.judging.expected import resolve_expected
from turnwise.runners.judging.judge import Judge
from turnwise.tasks.feedback import shown_expected

# 70 MB of tagged JSON, of one text and so in little memory.
SOLUTION = "def f(n):\n    long = 'a' * 1_000_000\n    return [(number, long) for number in range(n)]"
LONG = 70
TASK = Problem(
    id="mbpp_plus/Mbpp/1",
    benchmark="mbpp_plus",
    split="test",
    statement="",
    public_tests=(TestCase(values.dumps([LONG]), None), TestCase(values.dumps([2]), None)),
    hidden_tests=(),
    limits=Limits(4.0, FUNCTION_MEMORY_LIMIT_BYTES),
    rule=MatchRule(Comparison.EVALPLUS, tolerance=0),
    entry_point="f",
    solutions=(SOLUTION,),
)
PASSED, WRONG, ERROR = Verdict.PASSED, Verdict.WRONG_ANSWER, Verdict.RUNTIME_ERROR


@pytest.fixture(scope="module")
def resolved(executor: Executor, tmp_path_factory: pytest.TempPathFactory) -> Problem:
    """The task with its expected results, the first of them a digest."""
    (problem,) = resolve_expected([TASK], executor, cache_dir=tmp_path_factory.mktemp("cache"))
    return problem


def test_of_a_long_result_the_digest_is_kept(resolved: Problem) -> None:
    """Of a short one of the same problem the result; neither changes how long a result or an output may be."""
    digest, short = (test.output for test in resolved.public_tests)
    found = read_digest(digest or "")
    assert found is not None and 70_000_000 < found.size < 70_010_000
    assert values.loads(short or "") == [(0, "a" * 1_000_000), (1, "a" * 1_000_000)]
    assert resolved.limits == replace(TASK.limits, output_limit_bytes=OUTPUT_LIMIT_BYTES)
    assert shown_expected(resolved, resolved.public_tests[0]) == f"<{found.size} bytes>"


_ANSWERS = {
    "the same": (SOLUTION, PASSED),
    "equal numbers written otherwise": (SOLUTION.replace("(number,", "(float(number),"), PASSED),
    "one item of the same length is another": (SOLUTION.replace("in range(n)]", "in [*range(n - 1), 99]]"), WRONG),
    "one is missing": (SOLUTION.replace("range(n)", "range(n - 1)"), WRONG),
    "lists for tuples": (SOLUTION.replace("(number, long)", "[number, long]"), WRONG),
    "nothing": ("def f(n): return None", WRONG),
    "too deep": ("def f(n):\n    x = []\n    x.append(x)\n    return x", ERROR),
}


@pytest.mark.parametrize("name", _ANSWERS)
def test_what_equals_the_right_result_passes_and_nothing_else(resolved: Problem, executor: Executor, name: str) -> None:
    source, verdict = _ANSWERS[name]
    report = Judge(executor).judge(resolved, source)
    assert report.public[0].verdict is verdict, report


def test_the_judge_holds_little_of_a_long_result(resolved: Problem, executor: Executor) -> None:
    """However much longer than the right one it is, and it is no more than wrong."""
    tracemalloc.start()
    report = Judge(executor).judge(resolved, SOLUTION.replace("range(n)", "range(2 * n)"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    first = report.public[0]
    assert first.verdict is WRONG and first.output.startswith("<14000")
    assert peak < 30_000_000


def test_an_input_whose_right_result_no_program_may_hold_is_left_out(executor: Executor, tmp_path: Path) -> None:
    """For every program alike; the problem is flagged, and where no input is left it is an error by name."""
    solution = "def f(n): return [[n] * n for _ in range(n)] if n < 9 else 'a' * (n << 33)"
    tests = [TestCase(values.dumps([n]), None) for n in (2, 9, 3)]
    task = replace(TASK, solutions=(solution,), public_tests=tuple(tests[:2]), hidden_tests=tuple(tests[2:]))
    for _ in ("computed", "read"):
        (problem,) = resolve_expected([task], executor, cache_dir=tmp_path)
        assert problem.flags == (Flag.TESTS_LEFT_OUT,)
        shown = [(test.input, test.output) for test in problem.public_tests + problem.hidden_tests]
        assert shown == [("[2]", "[[2, 2], [2, 2]]"), ("[3]", "[[3, 3, 3], [3, 3, 3], [3, 3, 3]]")]
    assert Judge(executor).judge(problem, solution).passed


def test_a_released_row_with_a_long_result_is_judged_by_the_command(tmp_path: Path) -> None:
    """Right is right, and one item less is wrong, though no expected result of that length is kept anywhere."""
    row = {
        "task_id": "Mbpp/9001",
        "prompt": '"""\nWrite a function to number texts.\n"""\n',
        "entry_point": "f",
        "canonical_solution": f"\n{SOLUTION}\n",
        "base_input": [[2]],
        "plus_input": [[LONG], [3]],
        "atol": 0,
    }
    (tmp_path / "mbppplus").mkdir()
    (tmp_path / "mbppplus" / "MbppPlus.jsonl").write_text(json.dumps(row) + "\n")
    lazy = SOLUTION.replace("range(n)", f"range(n - n // {LONG})")
    rows = [{"task_id": "Mbpp/9001", "solution": solution} for solution in (SOLUTION, lazy)]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    options = ["-M", "replay", "-a", "path=answers.jsonl", "-t", "mbpp_plus_singleturn", "--data-dir", ".", "-o", "run"]
    command = [sys.executable, "-m", "turnwise", "run", *options, "--metadata", '{"samples_per_problem": 2}']
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (written,) = (tmp_path / "run" / "verdicts").iterdir()
    verdicts = list(map(json.loads, written.read_text().splitlines()))
    assert {one["sample"]: one["verdict"] for one in verdicts} == {0: "passed", 1: "wrong_answer"}
