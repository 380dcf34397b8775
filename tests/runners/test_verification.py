"""The rule by which training problems are kept, and what becomes of those on which the machine fails."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from turnwise.benchmarks.own import find_benchmarks
from turnwise.errors import TurnwiseError
from turnwise.locks import Lock
from turnwise.records.own_solutions import Finding
from turnwise.records.problem import Limits
from turnwise.records.report import Verdict
from turnwise.records.settings import JudgeSettings, RunSettings
from turnwise.runners.execution.interface import Ending, Execution, Program
from turnwise.runners.loading import Machine, open_task
from turnwise.runners.verification import finding_of, verify_task
from turnwise.runners.verified import VerifiedProblems, findings_of
from turnwise.tasks.catalog import Task, find_tasks

PASSED, WRONG, CRASH, LIMIT, SPOILED = (
    *(Verdict.PASSED, Verdict.WRONG_ANSWER, Verdict.RUNTIME_ERROR, Verdict.TIME_LIMIT),
    Verdict.INFRASTRUCTURE_FAILURE,
)


@pytest.mark.parametrize(
    ("verdicts", "finding"),
    [
        ((), Finding.NO_SOLUTION),
        ((PASSED,), Finding.KEPT),
        ((LIMIT, PASSED, CRASH), Finding.KEPT),
        ((PASSED, PASSED, WRONG), Finding.OWN_SOLUTIONS_FAIL),
        ((LIMIT, CRASH), Finding.OWN_SOLUTIONS_FAIL),
        ((PASSED, SPOILED), Finding.OWN_SOLUTIONS_UNDECIDED),
        ((LIMIT, SPOILED), Finding.OWN_SOLUTIONS_UNDECIDED),
        ((SPOILED, WRONG), Finding.OWN_SOLUTIONS_FAIL),
    ],
)
def test_one_right_solution_keeps_a_problem_and_one_wrong_answer_drops_it(
    verdicts: tuple[Verdict, ...], finding: Finding
) -> None:
    """A limit or a crash of another drops nothing; what the machine spoiled decides nothing."""
    assert finding_of(verdicts) is finding


class WordExecutor:
    """Runs no program: one with the word ``right`` prints 2, ``wrong`` 3; the machine fails on others while ``ill``."""

    name, tier, interpreter = "words 1", "none", "no Python"

    def __init__(self) -> None:
        self.is_ill = True
        self.opened: list[bytes] = []

    def open(self, program: Program, language: str, limits: Limits) -> "_WordSession":
        del language, limits
        self.opened.append(program.source)
        if b"wrong" in program.source:
            return _WordSession(Execution(Ending.FINISHED, b"3\n"))
        if b"right" in program.source or not self.is_ill:
            return _WordSession(Execution(Ending.FINISHED, b"2\n"))
        return _WordSession(Execution(Ending.INFRASTRUCTURE))

    def close(self) -> None: ...


class _WordSession:
    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        for _ in inputs:
            yield self._execution

    def close(self) -> None: ...

    def __enter__(self) -> "_WordSession":
        return self

    def __exit__(self, *error: object) -> None: ...


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """Three problems: one is right, one fails by its second solution, one is spoiled while the machine is ill."""
    rows = [
        {
            "name": name,
            "statement": "Print 2.",
            "public_tests": [{"input": "1", "output": "2"}],
            "hidden_tests": [{"input": "4", "output": "2"}],
            "solutions": solutions,
        }
        for name, solutions in {"sound": ["right"], "odd": ["right 1", "wrong"], "spoiled": ["right 2", "ill"]}.items()
    ]
    path = tmp_path / "toy_train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (task,) = find_tasks("toy_train_multiturn", find_benchmarks(str(path)))
    return task


def test_a_problem_on_which_the_machine_failed_is_judged_anew(task: Task, tmp_path: Path) -> None:
    """It is named and left out until then; those that are decided are not judged again."""
    executor = WordExecutor()
    told: list[tuple[str, int, int]] = []
    machine = Machine(executor, tmp_path / "cache", on_progress=lambda *stage: told.append(stage))
    first = verify_task(task, machine, JudgeSettings())
    assert (first.kept, first.undecided) == (1, ["toy_train/spoiled"])
    verified = VerifiedProblems(executor, machine.cache_dir, JudgeSettings())
    loaded = open_task(task, RunSettings(), verified=verified)
    assert [problem.name for problem in loaded.asked] == ["sound"]
    record = loaded.to_record(RunSettings())
    assert record.left_out["toy_train/spoiled"] == ("own_solutions_undecided",)
    assert findings_of(record) == dict(verified.find(task, loaded.source))
    executor.is_ill = False
    executor.opened.clear()
    told.clear()
    second = verify_task(task, machine, JudgeSettings())
    assert (second.kept, second.undecided) == (2, []) and set(executor.opened) == {b"right 2", b"ill"}
    assert [stage[1:] for stage in told if stage[0] == "toy_train_multiturn: own solutions"] == [(2, 3), (3, 3)]


def test_only_what_is_asked_has_to_be_known(task: Task, tmp_path: Path) -> None:
    """A limit counts the problems that are kept; samples name none that is left out."""
    executor = WordExecutor()
    executor.is_ill = False
    machine = Machine(executor, tmp_path / "cache")
    verified = VerifiedProblems(executor, machine.cache_dir, JudgeSettings())

    def asked(**settings: object) -> list[str]:
        return [problem.name for problem in open_task(task, RunSettings(**settings), verified=verified).asked]

    verify_task(task, machine, JudgeSettings(), limit=2)
    assert asked(limit=1) == asked(samples={task.name: (0,)}) == ["sound"]
    assert asked(own_solutions=0) == ["sound", "odd", "spoiled"]
    for settings in ({}, {"limit": 2}, {"limit": 0.5}, {"samples": {task.name: ("spoiled",)}}):
        with pytest.raises(TurnwiseError, match="The own solutions of 1 problems of toy_train_multiturn have not been"):
            asked(**settings)
    with pytest.raises(TurnwiseError, match=r"--samples names toy_train/odd, which is left out \(own_solutions_fail\)"):
        asked(samples={task.name: ("sound", "odd")})
    verify_task(task, machine, JudgeSettings())
    assert asked() == asked(limit=2) == asked(limit=7) == ["sound", "spoiled"] and asked(limit=0.5) == ["sound"]


@pytest.mark.parametrize(
    ("judge", "solutions", "options"),
    [
        (JudgeSettings(matcher="exact"), 3, "--matcher exact"),
        (JudgeSettings(tests="all", answers="equality"), 3, "--answers equality --tests all"),
        (JudgeSettings(time_factor=2.5, interpreter="python3.10"), 3, "--time-factor 2.5 --interpreter python3.10"),
        (JudgeSettings(stub_imports=True), 3, "--stub-imports"),
        (JudgeSettings(), 1, "--solutions 1"),
    ],
)
def test_another_judge_has_a_result_of_its_own(
    judge: JudgeSettings, solutions: int, options: str, task: Task, tmp_path: Path
) -> None:
    """What is missing is named as the line that finds it out."""
    executor = WordExecutor()
    verify_task(task, Machine(executor, tmp_path), JudgeSettings())
    (other,) = find_tasks("toy_train_singleturn", {task.benchmark.name: task.benchmark})
    usual = VerifiedProblems(executor, tmp_path, JudgeSettings())
    assert open_task(other, RunSettings(), verified=usual).asked  # of the same split, and so of the same result
    verified = VerifiedProblems(executor, tmp_path, judge, solutions, data_dir=Path("my data"))
    line = f"run turnwise verify -t {task.name} {options} --benchmark {task.benchmark.origin} --data-dir 'my data', or"
    with pytest.raises(TurnwiseError, match=re.escape(line)):
        open_task(task, RunSettings(own_solutions=solutions), verified=verified)


def test_two_processes_do_not_judge_the_same(task: Task, tmp_path: Path) -> None:
    """The second is refused with a sentence; another judge is none of its business."""
    machine = Machine(WordExecutor(), tmp_path / "cache")
    verify_task(task, machine, JudgeSettings(), limit=1)
    (path,) = (tmp_path / "cache" / "verified").glob("*.jsonl")
    lock = Lock(path.with_suffix(".lock"))
    with pytest.raises(TurnwiseError, match="Another process judges the own solutions of toy_train_multiturn"):
        verify_task(task, machine, JudgeSettings())
    assert verify_task(task, machine, JudgeSettings(matcher="exact"), limit=1).judged == 1
    lock.release()
