"""From tasks to a run folder: dialogues over turns, verdicts, resuming, settings that must not change."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.records import Problem, Verdict
from turnwise.errors import TurnwiseError
from turnwise.runners.drivers import run_in_lockstep
from turnwise.runners.execution.reference import ReferenceExecutor
from turnwise.runners.judge import Judge
from turnwise.runners.main_job import LoadedTask, Machine, RunSettings, load_task, run_job
from turnwise.runners.sampler import ScriptedSampler
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.dialogue import Dialogue, DialoguePlan
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import multi_turn
from turnwise.tasks.trajectory import End, Trajectory

TASK = TASKS["sample_codecontests_multiturn"]
SETTINGS = RunSettings()


def _fenced(source: str) -> str:
    return f"Here:\n```python\n{source}\n```\n"


@pytest.fixture(scope="module")
def problem() -> Problem:
    """The first problem of the bundled sample."""
    return load_problems("sample_codecontests").problems[0]


def _dialogue(executor: ReferenceExecutor, problem: Problem, *texts: str) -> tuple[Trajectory, ScriptedSampler]:
    sampler = ScriptedSampler({(problem.id, 0): texts} if texts else {})
    dialogue = Dialogue(problem, 0, DialoguePlan(TASK.name, multi_turn(3), PromptSet.load(), seed=5))
    run_in_lockstep([dialogue], sampler, Judge(executor))
    return dialogue.trajectory(), sampler


def test_a_right_first_answer_ends_the_dialogue(executor: ReferenceExecutor, problem: Problem) -> None:
    """Passing the public tests is the end; the submission is judged on the hidden ones."""
    trajectory, sampler = _dialogue(executor, problem, _fenced(problem.solutions[0]), "never asked")
    assert (trajectory.end, trajectory.submission_turn, len(sampler.requests)) == (End.PUBLIC_PASSED, 0, 1)
    assert Judge(executor).judge(problem, trajectory.turns[0].program).passed


def test_failing_tests_come_back_as_the_next_message(executor: ReferenceExecutor, problem: Problem) -> None:
    """Turn 2 sees statement, own reply and feedback; no hidden input or output is in any message."""
    trajectory, sampler = _dialogue(executor, problem, _fenced("print(0)"), "no code", _fenced(problem.solutions[0]))
    assert (trajectory.end, trajectory.submission_turn) == (End.PUBLIC_PASSED, 2)
    assert [turn.public_report.verdict for turn in trajectory.turns] == [
        Verdict.WRONG_ANSWER,
        Verdict.NO_CODE,
        Verdict.PASSED,
    ]
    kinds = [[message.kind for message in request.messages] for request in sampler.requests]
    assert kinds[0] == ["statement", "instruction"]
    assert kinds[1] == [*kinds[0], "reply", "feedback", "instruction"]
    prompts = [turn.calls[0].messages[0].prompt_id for turn in trajectory.turns]
    assert prompts == ["statement", "feedback/failed_tests", "no_code"]
    told = "\n".join(message.content for message in sampler.requests[-1].messages)
    public = {test.input for test in problem.public_tests}
    for test in problem.hidden_tests:
        assert test.input in public or test.input.strip() not in told
    assert len({request.seed for request in sampler.requests}) == 3


def test_an_unsolved_dialogue_submits_its_last_program(executor: ReferenceExecutor, problem: Problem) -> None:
    """After three turns it is over; text without code is no submission and counts as failed."""
    trajectory, _ = _dialogue(executor, problem, *[_fenced("print(0)")] * 4)
    assert (trajectory.end, trajectory.submission_turn, len(trajectory.turns)) == (End.TURN_LIMIT, 2, 3)
    trajectory, _ = _dialogue(executor, problem, _fenced("print(0)"), "", "words")
    assert trajectory.submission_turn is None
    assert trajectory.turns[-1].public_report.verdict is Verdict.NO_CODE


def test_a_recording_that_ends_is_no_failure_of_the_request(executor: ReferenceExecutor, problem: Problem) -> None:
    """What was recorded is judged; nothing recorded at all is missing."""
    trajectory, _ = _dialogue(executor, problem, _fenced("print(0)"))
    assert (trajectory.end, trajectory.is_missing, trajectory.submission_turn) == (End.NO_MORE_ANSWERS, False, 0)
    trajectory, _ = _dialogue(executor, problem)
    assert (trajectory.end, trajectory.is_missing) == (End.REQUEST_FAILED, True)


@pytest.fixture
def loaded(executor: ReferenceExecutor, tmp_path: Path) -> LoadedTask:
    """The sample task with its first two problems."""
    machine = Machine(executor, tmp_path / "cache")
    return load_task(TASK, replace(SETTINGS, limit=2), machine)


def _run(loaded: LoadedTask, executor: ReferenceExecutor, output: Path, **settings: Any) -> ScriptedSampler:
    replies = {(problem.id, 0): (_fenced("print(0)"), _fenced(problem.solutions[0])) for problem in loaded.asked[:1]}
    sampler = ScriptedSampler(replies)
    machine = Machine(executor, output.parent / "cache", workers=2)
    run_job([loaded], sampler, replace(SETTINGS, **settings), machine, output=output, command="turnwise run ...")
    return sampler


def test_a_run_folder_holds_everything(loaded: LoadedTask, executor: ReferenceExecutor, tmp_path: Path) -> None:
    """Frozen settings with provenance, trajectories in plan order, verdicts; a missing answer stays missing."""
    _run(loaded, executor, tmp_path / "run")
    frozen = json.loads((tmp_path / "run" / "run.json").read_text())
    assert frozen["command"] == "turnwise run ..."
    assert frozen["judge"]["executor"] == "reference 1" and frozen["judge"]["tier"] == "none"
    assert {"statement", "format_guide", "feedback/failed_tests", "no_code"} <= set(frozen["prompts"]["hashes"])
    assert frozen["tasks"][0]["asked"] == [problem.id for problem in loaded.asked]
    lines = (tmp_path / "run" / "trajectories" / TASK.name / "00000.jsonl").read_text().splitlines()
    trajectories = [Trajectory.from_json(json.loads(line)) for line in lines]
    assert [trajectory.problem for trajectory in trajectories] == [problem.id for problem in loaded.asked]
    assert [trajectory.end for trajectory in trajectories] == [End.PUBLIC_PASSED, End.REQUEST_FAILED]
    assert [trajectory.to_line() for trajectory in trajectories] == lines


def test_running_again_judges_nothing_twice(loaded: LoadedTask, executor: ReferenceExecutor, tmp_path: Path) -> None:
    """The trajectories are byte-identical and the verdict file does not grow."""
    _run(loaded, executor, tmp_path / "run")
    shard = tmp_path / "run" / "trajectories" / TASK.name / "00000.jsonl"
    verdicts = tmp_path / "run" / "verdicts" / "main.jsonl"
    before = shard.read_bytes(), verdicts.read_bytes()
    _run(loaded, executor, tmp_path / "run")
    _run(loaded, executor, tmp_path / "other")
    assert (shard.read_bytes(), verdicts.read_bytes()) == before
    assert (tmp_path / "other" / "trajectories" / TASK.name / "00000.jsonl").read_bytes() == before[0]


@pytest.mark.parametrize("settings", [{"seed": 1}, {"matcher": "exact"}, {"time_factor": 2.0}, {"feedback": "binary"}])
def test_other_settings_in_the_same_folder_are_refused(
    settings: dict[str, Any], loaded: LoadedTask, executor: ReferenceExecutor, tmp_path: Path
) -> None:
    """The error names what differs, and nothing is overwritten."""
    _run(loaded, executor, tmp_path / "run")
    before = (tmp_path / "run" / "run.json").read_bytes()
    with pytest.raises(TurnwiseError, match=r"run with another '(settings|judge)'"):
        _run(loaded, executor, tmp_path / "run", **settings)
    assert (tmp_path / "run" / "run.json").read_bytes() == before


def test_a_task_without_scorable_problems_is_refused(executor: ReferenceExecutor, tmp_path: Path) -> None:
    """A score over nothing would be a lie."""
    folder = tmp_path / "data" / "codecontests"
    folder.mkdir(parents=True)
    row = {
        "name": "1_A. X",
        "description": "d",
        "public_tests": {"input": ["1"], "output": ["1"]},
        "private_tests": {"input": [], "output": []},
    }
    (folder / "test.jsonl").write_text(json.dumps(row) + "\n")
    machine = Machine(executor, tmp_path, data_dir=tmp_path / "data")
    with pytest.raises(TurnwiseError, match=r"None of the 1 problems of codecontests_multiturn"):
        load_task(TASKS["codecontests_multiturn"], SETTINGS, machine)
