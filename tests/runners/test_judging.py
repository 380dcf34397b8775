"""Judging a sampled run: without a model, only what is not judged yet, and anew in a copy."""

import json
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from turnwise.errors import TurnwiseError
from turnwise.records.codec import to_line
from turnwise.records.problem import Limits
from turnwise.records.report import Verdict
from turnwise.records.run_folder import RunFolder
from turnwise.records.settings import JudgeSettings, RunSettings
from turnwise.runners.execution.interface import Ending, Execution, Program, Session
from turnwise.runners.execution.reference import ReferenceExecutor
from turnwise.runners.judging_step import copy_for_judge, judge, load_run
from turnwise.runners.loading import LoadedTask, Machine, load_task
from turnwise.runners.models.sampler import RequestError, ScriptedSampler
from turnwise.runners.sampling import Job, sample
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.prompts import PromptSet

TASK = TASKS["sample_codecontests_multiturn"]
SETTINGS = RunSettings()


def _fenced(source: str) -> str:
    return f"```python\n{source}\n```"


class CountingExecutor(ReferenceExecutor):
    """Counts the programs it opens; after ``fail`` is set, the machine fails on each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = 0
        self.fail = False

    def open(self, program: Program, language: str, limits: Limits) -> Session:
        """Return a session, one that fails if it has to."""
        self.opened += 1
        session: Any = super().open(program, language, limits)
        if self.fail:
            session.run = _spoiled
        return session


def _spoiled(inputs: list[bytes]) -> Iterator[Execution]:
    for _ in inputs:
        yield Execution(Ending.INFRASTRUCTURE)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine that counts."""
    return Machine(CountingExecutor(), tmp_path / "cache", workers=2)


def _opened(machine: Machine) -> int:
    assert isinstance(machine.executor, CountingExecutor)
    return machine.executor.opened


@pytest.fixture
def sampled(machine: Machine, tmp_path: Path) -> tuple[RunFolder, list[LoadedTask]]:
    """A run of three problems: solved in turn 2, wrong on hidden tests only, missing."""
    loaded = load_task(TASK, replace(SETTINGS, limit=3), machine)
    first, second, third = loaded.asked
    memorised = {test.input: test.output for test in second.public_tests}
    cheat = f"import sys\nprint({memorised!r}.get(sys.stdin.read(), 0))"
    scripts = {
        (first.id, 0): (_fenced("print(0)"), _fenced(first.solutions[0])),
        (second.id, 0): (_fenced(cheat),),
        (third.id, 0): (RequestError("away"),),
    }
    job = Job([loaded], ScriptedSampler(scripts), SETTINGS, PromptSet.load())
    sample(job, machine, output=tmp_path / "run", judge_hidden=False)
    return RunFolder(tmp_path / "run"), [loaded]


def _verdicts(folder: RunFolder) -> list[tuple[str, int, Verdict]]:
    return sorted((one.problem, one.turn, one.verdict) for one in folder.judgements().values())


def test_sampling_alone_judges_nothing(sampled: tuple[RunFolder, list[LoadedTask]]) -> None:
    """Public tests only: no verdict on a hidden one is anywhere in the folder."""
    folder, _ = sampled
    assert folder.judgements() == {}
    files = folder.path.parent.glob("cache/verdicts/*/*.jsonl")
    cached = [line for path in files for line in path.read_text().splitlines()]
    assert cached and all(json.loads(line)["report"]["hidden"] is None for line in cached)


def test_judging_judges_what_passed_the_public_tests(
    sampled: tuple[RunFolder, list[LoadedTask]], machine: Machine
) -> None:
    """One verdict per such program; what failed in public is wrong as it is, what is missing stays missing."""
    folder, tasks = sampled
    before = _opened(machine)
    judged = judge(folder, tasks, machine)
    assert (judged.sampled, judged.not_sampled, judged.unjudged) == (3, 0, 0)
    first, second, _ = (problem.id for problem in tasks[0].asked)
    assert _verdicts(folder) == sorted([(first, 1, Verdict.PASSED), (second, 0, Verdict.WRONG_ANSWER)])
    assert _opened(machine) == before + 2


def test_judging_again_runs_nothing(sampled: tuple[RunFolder, list[LoadedTask]], machine: Machine) -> None:
    """The verdict file does not grow, and no program is opened."""
    folder, tasks = sampled
    judge(folder, tasks, machine)
    before = _opened(machine), (folder.path / "verdicts" / "main.jsonl").read_bytes()
    judge(folder, tasks, machine)
    assert (_opened(machine), (folder.path / "verdicts" / "main.jsonl").read_bytes()) == before


def test_what_the_machine_spoiled_is_judged_by_the_next_attempt(
    sampled: tuple[RunFolder, list[LoadedTask]], machine: Machine
) -> None:
    """It is counted, written nowhere, and judged when the machine is well again."""
    folder, tasks = sampled
    assert isinstance(machine.executor, CountingExecutor)
    machine.executor.fail = True
    assert judge(folder, tasks, machine).unjudged == 2
    assert folder.judgements() == {}
    machine.executor.fail = False
    assert judge(folder, tasks, machine).unjudged == 0
    assert len(folder.judgements()) == 2


def test_the_problems_of_a_run_are_found_again(sampled: tuple[RunFolder, list[LoadedTask]], machine: Machine) -> None:
    """From run.json and the data, in the order asked."""
    folder, tasks = sampled
    (loaded,) = load_run(folder, machine)
    assert loaded.asked == tasks[0].asked


def test_other_data_are_refused(sampled: tuple[RunFolder, list[LoadedTask]], machine: Machine) -> None:
    """Verdicts on other tests would be worth nothing."""
    folder, _ = sampled
    text = folder.run_json.read_text()
    (digest,) = {task.data_sha256 for task in folder.record.tasks}
    folder.run_json.write_text(text.replace(digest, "0" * 64))
    with pytest.raises(TurnwiseError, match=r"not those of the run \(sha256 .{12}, not 0{12}\): give the --data-dir"):
        load_run(RunFolder(folder.path), machine)


def test_a_run_is_judged_anew_in_a_copy(
    sampled: tuple[RunFolder, list[LoadedTask]], machine: Machine, tmp_path: Path
) -> None:
    """With another matcher, every program of it; the run itself stays as it was, and so does a second copying."""
    folder, tasks = sampled
    judge(folder, tasks, machine)
    before = _verdicts(folder)
    for _ in range(2):
        copy = copy_for_judge(folder, tmp_path / "anew", machine, JudgeSettings("exact", 2.0), [])
        judge(copy, load_run(copy, machine), machine)
    assert copy.record.judge.matcher == "exact" and copy.record.judge.time_factor == 2.0
    first, second, _ = (problem.id for problem in tasks[0].asked)
    assert [place[:2] for place in _verdicts(copy)] == sorted([(first, 0), (first, 1), (second, 0)])
    assert _verdicts(folder) == before
    same = [to_line(one) for one in folder.trajectories(TASK.name)]
    assert [to_line(one) for one in copy.trajectories(TASK.name)] == same


def test_another_judge_in_the_same_folder_is_refused(
    sampled: tuple[RunFolder, list[LoadedTask]], machine: Machine
) -> None:
    """Verdicts of two interpreters would stand side by side."""

    class OtherPython(CountingExecutor):
        interpreter = "CPython 3.99"

    folder, tasks = sampled
    with pytest.raises(TurnwiseError, match=r'judge interpreter: "CPython .* there, "CPython 3.99" here'):
        judge(folder, tasks, replace(machine, executor=OtherPython()))


@pytest.mark.parametrize("there", ["another run", "words"])
def test_a_copy_overwrites_nothing(
    there: str, sampled: tuple[RunFolder, list[LoadedTask]], machine: Machine, tmp_path: Path
) -> None:
    """A folder that holds something else is refused and left alone."""
    folder, _ = sampled
    target = tmp_path / "target"
    if there == "words":
        target.mkdir()
        (target / "notes.txt").write_text("mine")
    else:
        copy_for_judge(folder, target, machine, JudgeSettings("exact", 1.0), [])
    before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    with pytest.raises(TurnwiseError, match=r"(holds another run|is not empty): give another --output_path"):
        copy_for_judge(folder, target, machine, JudgeSettings("deepmind", 1.0), [])
    assert {path: path.read_bytes() for path in target.rglob("*") if path.is_file()} == before


def test_a_copy_that_fails_leaves_nothing_and_names_the_file(
    sampled: tuple[RunFolder, list[LoadedTask]], machine: Machine, tmp_path: Path
) -> None:
    """As on a full disk; the same line then makes the copy, and its folder is the only one made."""
    folder, _ = sampled
    target = tmp_path / "anew"
    before = sorted(tmp_path.iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="File too large") as failed:
            copy_for_judge(folder, target, machine, JudgeSettings("exact", 1.0), [])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert failed.value.filename.endswith(f"trajectories/{TASK.name}/00000.jsonl")
    assert sorted(tmp_path.iterdir()) == before
    target.mkdir()  # an empty folder is as good as none
    copy = copy_for_judge(folder, target, machine, JudgeSettings("exact", 1.0), [])
    assert copy.run_json.exists() and sorted(tmp_path.iterdir()) == sorted([*before, target])


def test_judging_says_from_the_start_how_much_there_is(
    sampled: tuple[RunFolder, list[LoadedTask]], machine: Machine
) -> None:
    """Before the first program has been judged, which may take minutes."""
    said: list[tuple[str, int, int]] = []
    judge(*sampled, replace(machine, on_progress=lambda *one: said.append(one)))
    assert said[0] == ("judging", 0, said[-1][2]) and said[-1][1] == said[-1][2] > 0
