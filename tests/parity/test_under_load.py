"""Verdicts do not depend on who else uses the machine, nor on the executor."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.records.report import Report
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.interface import Executor
from turnwise.runners.execution.reference import ReferenceExecutor
from turnwise.runners.judging.judge import Judge, JudgeRequest

BUSY_PROCESSES = 8
FOLDER = Path(__file__).resolve().parent
WITH_VERDICTS = [str(FOLDER / f"test_{name}.py") for name in ("codecontests", "taco", "evalplus")]


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """Other people's processes, which take as much of every core as they get."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY_PROCESSES)]
    yield
    for process in busy:
        process.kill()
        process.wait()


def _assert_passes(run: int, *arguments: str) -> None:
    """Run tests to their end, whatever time that takes: those of every change, so not these here."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not long", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=FOLDER.parents[1], env=environment, errors="replace"
    )
    print(f"run {run}: {done.stdout.rstrip().rpartition(chr(10))[2]}")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]


@pytest.mark.long
@pytest.mark.data
@pytest.mark.usefixtures("busy_machine", "data_dir")
@pytest.mark.xdist_group("load")
@pytest.mark.parametrize("run", [1, 2, 3])
def test_parity_holds_beside_busy_processes(run: int) -> None:
    """No recorded verdict changes: no false time limit, no infrastructure failure."""
    _assert_passes(run, *WITH_VERDICTS)


@pytest.mark.long
@pytest.mark.usefixtures("busy_machine")
@pytest.mark.xdist_group("load")
@pytest.mark.parametrize("run", [1, 2])
def test_all_tests_pass_beside_busy_processes(run: int) -> None:
    """Those of every change but for the ones that measure speed: none of them depends on how fast the machine is."""
    tests = FOLDER.parent
    parallel = ["--numprocesses", "2", "--dist", "loadgroup"]
    _assert_passes(run, *parallel, f"--ignore={tests / 'performance'}", str(tests))


def _told(report: Report) -> tuple[Any, ...]:
    """What a report says but for its measurements."""
    return report.verdict, report.error, *((one.index, one.verdict, one.output, one.error) for one in report.public)


@pytest.mark.long
@pytest.mark.data
def test_the_hardened_executor_says_what_the_reference_says(
    data_dir: Path, recorded: Callable[[str], list[dict[str, Any]]]
) -> None:
    """256 recorded programs: the same verdicts, outputs and error texts from both executors."""
    problems = {one.name: one for one in load_problems("codecontests", data_dir=data_dir).problems}
    rows = [row for row in recorded("recorded/codecontests.jsonl.gz") if row["_our_verdict"]]
    requests = [JudgeRequest(problems[row["task_id"]], row["turns"][0]["code"], hidden=False) for row in rows]
    told = []
    executors: list[Executor] = [HardenedExecutor(), ReferenceExecutor()]
    for executor in executors:
        with closing(executor), closing(Judge(executor, workers=2)) as judge:
            told.append([_told(report) for report in judge.judge_many(requests)])
    differing = [row["task_id"] for row, ours, plain in zip(rows, *told, strict=True) if ours != plain]
    assert differing == []
