"""From tasks to a run folder: dialogues over turns, resuming, settings that must not change."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.errors import TurnwiseError
from turnwise.records.codec import from_json, to_line
from turnwise.records.problem import Problem
from turnwise.records.report import Verdict
from turnwise.records.run_folder import RunFolder
from turnwise.records.settings import JudgeSettings, RunSettings, Sampling
from turnwise.records.trajectory import End, Trajectory
from turnwise.runners.drivers import run_in_lockstep
from turnwise.runners.execution.interface import Executor
from turnwise.runners.judging.judge import Judge
from turnwise.runners.loading import LoadedTask, Machine, load_task
from turnwise.runners.models.sampler import ContextOverflowError, RequestError, ScriptedSampler
from turnwise.runners.sampling import Job, Sampled, sample
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.dialogue import Dialogue, DialoguePlan
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import multi_turn

TASK = TASKS["sample_codecontests_multiturn"]
SETTINGS = RunSettings()


def _fenced(source: str) -> str:
    return f"Here:\n```python\n{source}\n```\n"


@pytest.fixture(scope="module")
def problem() -> Problem:
    """The first problem of the bundled sample."""
    return load_problems("sample_codecontests").problems[0]


def _dialogue(executor: Executor, problem: Problem, *texts: str | Exception) -> tuple[Trajectory, ScriptedSampler]:
    sampler = ScriptedSampler({(problem.id, 0): texts} if texts else {})
    dialogue = Dialogue(problem, 0, DialoguePlan(TASK.name, multi_turn(3), PromptSet.load(), seed=5))
    run_in_lockstep([dialogue], sampler, Judge(executor))
    return dialogue.trajectory(), sampler


def test_a_right_first_answer_ends_the_dialogue(executor: Executor, problem: Problem) -> None:
    """Passing the public tests is the end; the submission is judged on the hidden ones."""
    trajectory, sampler = _dialogue(executor, problem, _fenced(problem.solutions[0]), "never asked")
    assert (trajectory.end, trajectory.submission_turn, len(sampler.requests)) == (End.PUBLIC_PASSED, 0, 1)
    assert Judge(executor).judge(problem, trajectory.turns[0].program).passed


def test_failing_tests_come_back_as_the_next_message(executor: Executor, problem: Problem) -> None:
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


def test_an_unsolved_dialogue_submits_its_last_program(executor: Executor, problem: Problem) -> None:
    """After three turns it is over; text without code is no submission and counts as failed."""
    trajectory, _ = _dialogue(executor, problem, *[_fenced("print(0)")] * 4)
    assert (trajectory.end, trajectory.submission_turn, len(trajectory.turns)) == (End.TURN_LIMIT, 2, 3)
    trajectory, _ = _dialogue(executor, problem, _fenced("print(0)"), "", "words")
    assert trajectory.submission_turn is None
    assert trajectory.turns[-1].public_report.verdict is Verdict.NO_CODE


@pytest.mark.parametrize("odd", ["\0", "x" * 5_000_000, "```python\n" + "#" * 5_000_000, "\ud800", _fenced("a\0b")])
def test_odd_replies_cost_their_turn_and_nothing_else(executor: Executor, problem: Problem, odd: str) -> None:
    """NUL, five megabytes, half a character pair: the dialogue goes on, its record can be written and read."""
    trajectory, _ = _dialogue(executor, problem, odd, _fenced(problem.solutions[0]))
    assert (trajectory.end, len(trajectory.turns)) == (End.PUBLIC_PASSED, 2)
    assert trajectory.turns[0].public_report.verdict is not Verdict.PASSED
    again = from_json(Trajectory, json.loads(to_line(trajectory)))
    assert to_line(again) == to_line(trajectory) and again.turns[0].calls[0].reply.text == odd


def test_a_recording_that_ends_is_no_failure_of_the_request(executor: Executor, problem: Problem) -> None:
    """What was recorded is judged; nothing recorded at all is missing."""
    trajectory, _ = _dialogue(executor, problem, _fenced("print(0)"))
    assert (trajectory.end, trajectory.is_missing, trajectory.submission_turn) == (End.NO_MORE_ANSWERS, False, 0)
    trajectory, _ = _dialogue(executor, problem)
    assert (trajectory.end, trajectory.is_missing) == (End.REQUEST_FAILED, True)


@dataclass(frozen=True)
class Place:
    """Where the runs of a test happen: the first two problems of the sample, and a machine."""

    loaded: LoadedTask
    machine: Machine
    output: Path

    def run(self, *scripts: tuple[str | Exception, ...], output: str = "run", **settings: Any) -> "Ran":
        """Sample with one script per problem; ``settings`` go before the default ones."""
        ids = [problem.id for problem in self.loaded.asked]
        sampler = ScriptedSampler({(one, 0): script for one, script in zip(ids, scripts, strict=False)})
        judge = settings.pop("judge", JudgeSettings())
        job = Job(
            [self.loaded], sampler, replace(SETTINGS, **settings), PromptSet.load(), "turnwise run ...", judge=judge
        )
        folder = RunFolder(self.output / output)
        return Ran(sample(job, self.machine, output=folder.path), sampler, folder)


@dataclass(frozen=True)
class Ran:
    """One attempt."""

    sampled: Sampled
    sampler: ScriptedSampler
    folder: RunFolder

    def trajectories(self) -> list[Trajectory]:
        """What stands in the folder."""
        return list(RunFolder(self.folder.path).trajectories(TASK.name))

    def files(self) -> dict[str, bytes]:
        """Everything in the folder but costs, which hold times."""
        found = (path for path in sorted(self.folder.path.rglob("*")) if path.is_file())
        return {str(path): path.read_bytes() for path in found if path.parent.name != "costs"}


@pytest.fixture
def place(executor: Executor, tmp_path: Path) -> Place:
    """The sample task with its first two problems."""
    machine = Machine(executor, tmp_path / "cache", workers=2)
    return Place(load_task(TASK, replace(SETTINGS, limit=2), machine), machine, tmp_path)


WRONG = _fenced("print(0)")


def test_a_run_folder_holds_everything(place: Place) -> None:
    """Settings, plan, trajectories in plan order, verdicts, costs; a missing answer stays missing."""
    ran = place.run((WRONG, _fenced(place.loaded.asked[0].solutions[0])))
    record = ran.folder.record
    assert record.command == "turnwise run ..." and record.judge.executor == "hardened 1"
    assert {"statement", "format_guide", "feedback/failed_tests", "no_code"} <= set(record.prompts.hashes)
    assert [one.id for one in record.tasks[0].asked] == [problem.id for problem in place.loaded.asked]
    assert [one.problem for one in ran.trajectories()] == [problem.id for problem in place.loaded.asked]
    assert [one.end for one in ran.trajectories()] == [End.PUBLIC_PASSED, End.REQUEST_FAILED]
    (judgement,) = ran.folder.judgements().values()
    assert (judgement.turn, judgement.passed, judgement.public_passed) == (1, True, True)
    assert judgement.tests_run == len(place.loaded.asked[0].public_tests + place.loaded.asked[0].hidden_tests)
    costs = json.loads((ran.folder.path / "costs" / "main.jsonl").read_text().splitlines()[-1])
    assert (costs["step"], costs["dialogues"], costs["model_calls"], costs["failed_requests"]) == ("sample", 2, 2, 1)
    assert costs["judge_cpu_seconds"] > 0
    assert (ran.sampled.dialogues, ran.sampled.missing) == (2, 1)
    assert "nothing is scripted for sample_codecontests/" in ran.sampled.first_error


def test_running_again_asks_and_judges_nothing_twice(place: Place) -> None:
    """Every file stays as it is but the costs; another folder gets the same trajectories."""
    script = (WRONG, _fenced(place.loaded.asked[0].solutions[0])), ("words",) * 3
    first = place.run(*script)
    before = first.files()
    again = place.run(*script)
    assert again.sampler.requests == [] and again.files() == before
    other = place.run(*script, output="other")
    assert [to_line(one) for one in other.trajectories()] == [to_line(one) for one in first.trajectories()]


def test_a_missing_dialogue_is_asked_again_and_completed(place: Place) -> None:
    """Only what failed; its finished turns are not asked again, the other dialogue not at all."""
    right = [_fenced(problem.solutions[0]) for problem in place.loaded.asked]
    first = place.run((right[0],), (WRONG, RequestError("the server is away")))
    assert (first.sampled.missing, first.sampled.first_error) == (1, "the server is away")
    again = place.run((right[0],), (right[1],))
    assert [(one.problem, one.turn) for one in again.sampler.requests] == [(place.loaded.asked[1].id, 1)]
    assert [one.end for one in again.trajectories()] == [End.PUBLIC_PASSED] * 2
    assert len(again.folder.judgements()) == 2


def test_a_context_that_overflows_is_an_outcome(place: Place) -> None:
    """It is not asked again, and not missing."""
    first = place.run((WRONG, ContextOverflowError()), (ContextOverflowError(),))
    assert [one.end for one in first.trajectories()] == [End.CONTEXT_OVERFLOW] * 2
    assert first.sampled.missing == 0
    assert place.run(("never",), ("never",)).sampler.requests == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"seed": 1}, "settings seed: 0 there, 1 here"),
        ({"judge": JudgeSettings(matcher="exact")}, 'judge matcher: "tokens" there, "exact" here'),
        ({"judge": JudgeSettings(time_factor=2.0)}, r"judge time_factor: 1.0 there, 2.0 here"),
        ({"feedback": "binary"}, 'settings feedback: "failed_tests" there, "binary" here'),
        ({"sampling": Sampling(temperature=0.5)}, r"settings sampling temperature: null there, 0.5 here"),
        ({"samples_per_problem": 2}, "settings samples_per_problem: 1 there, 2 here"),
    ],
)
def test_other_settings_in_the_same_folder_are_refused(place: Place, settings: dict[str, Any], words: str) -> None:
    """The error names what differs, with both values, and nothing is changed."""
    before = place.run(("words",)).files()
    with pytest.raises(TurnwiseError, match=rf"holds another run \({words}\): give another --output_path"):
        place.run(("words",), **settings)
    assert place.run(("words",)).files() == before


def test_a_folder_somebody_works_in_is_refused(place: Place) -> None:
    """Two processes would ask the model for the same; the second one is told."""
    ran = place.run(("words",))
    from turnwise.runners.work import Work

    with (
        Work(ran.folder, ran.folder.record, place.machine, step="sample"),
        pytest.raises(TurnwiseError, match="Another process is working in this run folder"),
    ):
        place.run(("words",))


def test_a_changed_shard_stops_the_run_before_the_model_is_asked(place: Place) -> None:
    """Nothing is asked, nothing overwritten."""
    ran = place.run((WRONG,) * 3, (RequestError("x"),))
    shard = ran.folder.shard_file(ran.folder.shards[0])
    shard.write_bytes(shard.read_bytes().replace(b"print(0)", b"print(1)"))
    sampler = ScriptedSampler({})
    job = Job([place.loaded], sampler, SETTINGS, PromptSet.load())
    with pytest.raises(TurnwiseError, match="has been changed since it was committed"):
        sample(job, place.machine, output=ran.folder.path)
    assert sampler.requests == []


def test_the_plan_of_the_first_attempt_is_kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version that cuts shards otherwise goes on with the shards that are there."""
    first = place.run(("words",) * 3)
    monkeypatch.setattr("turnwise.runners.work.SHARD_DIALOGUES", 1)
    again = place.run(("words",) * 3, ("words",) * 3)
    assert len(again.folder.shards) == len(first.folder.shards) == 1
    assert len(place.run(("words",) * 3, output="other").folder.shards) == 2


@pytest.mark.parametrize(
    ("which", "message"),
    [
        (9, r"--samples names problem 9 of sample_codecontests_multiturn, which has 4 scorable ones: give 0 to 3"),
        ("sample_codecontests/none", "No problem 'sample_codecontests/none' among the 4"),
    ],
)
def test_problems_that_are_not_there_cannot_be_asked(place: Place, which: int | str, message: str) -> None:
    """The number or id, and what there is."""
    with pytest.raises(TurnwiseError, match=message):
        load_task(TASK, replace(SETTINGS, samples={TASK.name: (which,)}), place.machine)


def test_problems_can_be_chosen_by_number_and_id(place: Place) -> None:
    """In the order given."""
    ids = [problem.id for problem in place.loaded.source.scorable]
    chosen = load_task(TASK, replace(SETTINGS, samples={TASK.name: (2, ids[0])}), place.machine)
    assert [problem.id for problem in chosen.asked] == [ids[2], ids[0]]


def test_a_task_without_scorable_problems_is_refused(executor: Executor, tmp_path: Path) -> None:
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
