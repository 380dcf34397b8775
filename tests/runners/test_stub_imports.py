"""HumanEval+ replies without their stub's imports and helpers: they fail, as evalplus has it, but where it is asked."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from turnwise.benchmarks.catalog import BENCHMARKS, load_problems
from turnwise.benchmarks.humaneval_plus import with_stub_imports
from turnwise.commands.exchange import import_command
from turnwise.commands.judge import judge_command
from turnwise.commands.options import JudgeOptions, RunOptions
from turnwise.commands.run import run_command
from turnwise.errors import TurnwiseError
from turnwise.exchange.imported import Options
from turnwise.records.choices import BackEndName, Matcher
from turnwise.records.run_folder import RunFolder
from turnwise.records.settings import JudgeSettings, RunSettings
from turnwise.runners.execution.interface import Executor
from turnwise.runners.judging.judge import Judge
from turnwise.runners.loading import Machine, load_task
from turnwise.tasks.catalog import TASKS

TASK = "sample_humaneval_plus_singleturn"
Answers = Callable[[], Path]


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """The sample's right programs, without what stands before the function in its stub."""
    rows = []
    for problem in load_problems("sample_humaneval_plus").problems:
        before = with_stub_imports(problem).prelude
        rows.append({"task_id": problem.name, "solution": problem.solutions[0].removeprefix(before)})
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _verdicts(run: Path) -> dict[str, int]:
    (scored,) = json.loads((run / "scores.json").read_text())["tasks"]
    found: dict[str, int] = scored["verdicts"]
    return found


def _run(answers: Path, output: Path, cache_dir: Path, *, stub_imports: bool = False) -> str:
    options = RunOptions(BackEndName.REPLAY, f"path={answers}", TASK, output, stub_imports=stub_imports, workers=1)
    return run_command(options, environ={"TURNWISE_CACHE": str(cache_dir)}, arguments=[])


def test_the_option_is_off_recorded_and_shown(answers: Path, tmp_path: Path, cache_dir: Path) -> None:
    """A program that needs its stub's import fails, with the option it passes; run.json and the table say which."""
    said = _run(answers, tmp_path / "plain", cache_dir)
    assert _verdicts(tmp_path / "plain") == {"passed": 1, "runtime_error": 2}
    assert "stub" not in said and "stub_imports" not in (tmp_path / "plain" / "run.json").read_text()
    said = _run(answers, tmp_path / "with", cache_dir, stub_imports=True)
    assert _verdicts(tmp_path / "with") == {"passed": 3}
    assert "time factor 1, with the stub's imports and helpers (--stub-imports), CPython" in said
    assert RunFolder(tmp_path / "with").record.judge.stub_imports
    with pytest.raises(TurnwiseError, match=r"judge.*stub_imports|stub_imports"):
        _run(answers, tmp_path / "with", cache_dir)


def test_a_run_is_judged_anew_with_it(answers: Path, tmp_path: Path, cache_dir: Path) -> None:
    """An imported one, too; a copy of such a copy keeps it; never in the run itself."""
    import_command([answers], Options("evalplus", TASK), tmp_path / "run", environ={}, arguments=[])
    environ = {"TURNWISE_CACHE": str(cache_dir)}
    with pytest.raises(TurnwiseError, match=r"give -o NEW_FOLDER to judge it .* with --stub-imports"):
        judge_command(tmp_path / "run", JudgeOptions(stub_imports=True), environ=environ)
    judge_command(tmp_path / "run", JudgeOptions(tmp_path / "1", stub_imports=True, workers=1), environ=environ)
    judge_command(tmp_path / "1", JudgeOptions(tmp_path / "2", matcher=Matcher.EXACT, workers=1), environ=environ)
    for name in ("1", "2"):
        assert RunFolder(tmp_path / name).record.judge.stub_imports
        assert all(one.passed for one in RunFolder(tmp_path / name).judgements().values())


STUB = '''import math
from typing import List


def poly(xs: list, x: float):
    """A helper."""
    return sum(c * math.pow(x, i) for i, c in enumerate(xs))


def find_zero(xs: list):
    """def find_zero in a docstring"""
'''


def test_what_stands_before_the_function_is_what_counts() -> None:
    """Imports and helpers, not the function itself; other benchmarks stay as they are."""
    problem = load_problems("sample_humaneval_plus").problems[0]
    changed = replace(problem, starter_code=STUB, entry_point="find_zero")
    assert with_stub_imports(changed).prelude == STUB[: STUB.index("def find_zero")]
    assert with_stub_imports(replace(changed, entry_point="other")) == replace(changed, entry_point="other")
    assert with_stub_imports(problem).prelude == ""
    having = [name for name, benchmark in BENCHMARKS.items() if benchmark.with_stub_imports]
    assert having == ["humaneval_plus", "sample_humaneval_plus"]


@pytest.mark.data
def test_the_instance_of_the_release(executor: Executor, cache_dir: Path, data_dir: Path) -> None:
    """A right program for HumanEval/0 that lacks the import of List."""
    program = (data_dir.parent / "faults" / "data" / "humaneval_without_imports.py").read_text()
    machine = Machine(executor, cache_dir, data_dir=data_dir)
    verdicts = []
    for stub_imports in (False, True):
        settings = RunSettings(samples={"humaneval_plus_singleturn": ("humaneval_plus/HumanEval/0",)})
        task = TASKS["humaneval_plus_singleturn"]
        (problem,) = load_task(task, settings, machine, JudgeSettings(stub_imports=stub_imports)).asked
        verdicts.append(Judge(executor).judge(problem, program).verdict.value)
    assert verdicts == ["runtime_error", "passed"]
