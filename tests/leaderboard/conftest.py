"""Run folders written by hand: dialogues in words, the judgements on them, and the folder that holds both."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from turnwise.records.codec import to_line
from turnwise.records.judgement import Judgement, program_hash
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.records.run_folder import (
    AskedProblem,
    RunFolder,
    RunRecord,
    TaskRecord,
    cut_shards,
    plan_lines,
    plan_order,
)
from turnwise.records.settings import JudgeRecord, PromptsRecord, RunSettings
from turnwise.records.trajectory import Call, End, Message, Reply, Trajectory, Turn

_ENVIRONMENT = Environment("planned 1", "none", "CPython 3.11", "tokens")


def _turn(word: str, number: int, tokens: tuple[int, int] | None) -> Turn:
    """Return a turn: ``pass`` and ``fail`` say how its program did on the public tests, ``none`` that it has none."""
    verdict = {"pass": Verdict.PASSED, "fail": Verdict.WRONG_ANSWER, "none": Verdict.NO_CODE}[word]
    results = () if word == "none" else (TestResult(0, verdict),)
    counts = (None, None) if tokens is None else tokens
    call = Call((Message("user", "statement", "statement", "Solve."),), Reply("text", "", "stop", *counts))
    program = None if word == "none" else f"print({number})\n"
    return Turn((call,), program, Report("b/a", verdict, results, None, _ENVIRONMENT))


def _dialogue(
    *words: str,
    problem: str = "b/a",
    sample: int = 0,
    task: str = "t",
    end: End | None = None,
    tokens: tuple[int, int] | None = None,
) -> Trajectory:
    turns = tuple(_turn(word, number, tokens) for number, word in enumerate(words))
    usual = End.PUBLIC_PASSED if words[-1:] == ("pass",) else End.TURN_LIMIT
    return Trajectory(task, problem, sample, 0, turns, end or usual)


def _judge(trajectory: Trajectory, turn: int = -1, verdict: Verdict = Verdict.PASSED, **changes: Any) -> Judgement:
    number = turn % len(trajectory.turns)
    program = changes.pop("of_program", trajectory.turns[number].program)
    found = {"public_passed": verdict is Verdict.PASSED, "tests_run": 2, "cpu_seconds": 0.5, "tier": "none", "key": "k"}
    place = (trajectory.task, trajectory.problem, trajectory.sample, number, program_hash(program))
    return Judgement(*place, verdict, **{**found, **changes})


def _record(
    model: str, tasks: dict[str, int], problems: Sequence[AskedProblem], settings: RunSettings, command: str
) -> RunRecord:
    return RunRecord(
        turnwise="0",
        model={"back_end": "planned", "model": model},
        settings=settings,
        judge=JudgeRecord("planned 1", "CPython 3.11", "tokens", 1.0),
        prompts=PromptsRecord("turnwise-1", {}),
        tasks=tuple(
            TaskRecord(
                task=task,
                benchmark="b",
                split="test",
                max_turns=turns,
                strategy="multi_turn" if turns > 1 else "single_turn",
                data_sha256="0" * 64,
                loaded=len(problems) + 1,
                asked=tuple(problems),
                left_out={"b/odd": ("no_hidden_tests",)},
            )
            for task, turns in tasks.items()
        ),
        command=command,
    )


def _write_run(
    path: Path,
    trajectories: Sequence[Trajectory],
    judgements: Sequence[Judgement] = (),
    *,
    model: str = "m",
    tasks: dict[str, int] | None = None,
    problems: Sequence[str | AskedProblem] = ("b/a",),
    settings: RunSettings | None = None,
    command: str = "turnwise run",
    judged_by: JudgeRecord | None = None,
    of_tasks: dict[str, Any] | None = None,
) -> Path:
    asked = [one if isinstance(one, AskedProblem) else AskedProblem(id=one) for one in problems]
    record = _record(model, tasks or {"t": 3}, asked, settings or RunSettings(), command)
    record = replace(
        record,
        judge=judged_by or record.judge,
        tasks=tuple(replace(task, **(of_tasks or {})) for task in record.tasks),
    )
    plans = [(task.task, plan_order(task, record.samples_per_problem)) for task in record.tasks]
    shards = [shard for task, keys in plans for shard in cut_shards(task, keys, size=1)]
    folder, lines = RunFolder(path), {(one.task, one.problem, one.sample): to_line(one) for one in trajectories}
    path.mkdir(parents=True)
    folder.run_json.write_text(to_line(record))
    (path / "shards.jsonl").write_text(plan_lines(shards))
    for shard in shards:
        if (line := lines.pop((shard.task, *shard.keys[0]), None)) is not None:
            folder.shard_file(shard).parent.mkdir(parents=True, exist_ok=True)
            folder.shard_file(shard).write_text(line + "\n")
    if lines:
        raise ValueError(f"not in the plan: {json.dumps(sorted(lines))}")
    (path / "verdicts").mkdir()
    (path / "verdicts" / "main.jsonl").write_text("".join(to_line(one) + "\n" for one in judgements))
    return path


@pytest.fixture(scope="session")
def dialogue() -> Callable[..., Trajectory]:
    """dialogue("fail", "pass", problem=, sample=, task=, end=, tokens=): one trajectory, a word for each turn."""
    return _dialogue


@pytest.fixture(scope="session")
def judge() -> Callable[..., Judgement]:
    """judge(trajectory, turn=-1, verdict=PASSED, of_program=, ...): the judgement on the program of one turn."""
    return _judge


@pytest.fixture(scope="session")
def write_run() -> Callable[..., Path]:
    """write_run(path, trajectories, judgements, ...): a run folder; each dialogue not given is not sampled yet.

    ``judged_by`` is its judge, ``of_tasks`` fields of its tasks.
    """
    return _write_run


@pytest.fixture
def small_run(
    tmp_path: Path,
    write_run: Callable[..., Path],
    dialogue: Callable[..., Trajectory],
    judge: Callable[..., Judgement],
) -> Callable[..., Path]:
    """small_run(name, ...): two dialogues on one problem, right in turn 2 and out of context in turn 1."""

    def write(name: str, **options: Any) -> Path:
        solved = dialogue("fail", "pass", tokens=(10, 5))
        lost = dialogue("fail", sample=1, end=End.CONTEXT_OVERFLOW, tokens=(8, 2))
        given = options.pop("settings", {})
        chosen = RunSettings(**{"samples_per_problem": 2, "n_at_k": ("1@3",), **given})
        return write_run(tmp_path / name, [solved, lost], [judge(solved)], settings=chosen, **options)

    return write


@pytest.fixture
def checked_run(
    tmp_path: Path,
    write_run: Callable[..., Path],
    dialogue: Callable[..., Trajectory],
    judge: Callable[..., Judgement],
) -> Callable[..., Path]:
    """checked_run(name, ...): a run that checkers-1 and valid tests judged; two problems, four dialogues, two turns.

    On b/a two pass in turn 1, one of them by a checker's word, and another one in turn 2, by that, too. On b/b one is
    right as equality has it, and one passes the public tests alone, with an output that only the checker accepts.
    """

    def write(name: str, **options: Any) -> Path:
        several = [
            *(dialogue("pass", sample=0), dialogue("pass", sample=1)),
            *(dialogue("fail", "pass", sample=2), dialogue("fail", "fail", sample=3)),
            *(dialogue("pass", problem="b/b", sample=0), dialogue("pass", problem="b/b", sample=1)),
            *(dialogue("fail", "fail", problem="b/b", sample=sample) for sample in (2, 3)),
        ]
        judged = [
            judge(several[0]),
            judge(several[1], checked=2),
            judge(several[2], checked=1),
            judge(several[4]),
            judge(several[5], -1, Verdict.WRONG_ANSWER, public_passed=True, checked=1),
        ]
        answers = {"answers": "checkers-1", "answers_sha256": "1a2b3c4d5e6f" + "0" * 52, "tests": "valid"}
        chosen = {
            "tasks": {"t": 2},
            "problems": (AskedProblem("b/a", "EASY", ("multiple_answers",)), AskedProblem("b/b", "HARD")),
            "settings": RunSettings(samples_per_problem=4, n_at_k=("1@4",)),
            "judged_by": JudgeRecord("planned 1", "CPython 3.11", "tokens", 1.0, **answers),
            "of_tasks": {"checked": 1, "invalid_tests": {"b/a": 3, "b/b": 2}},
            **options,
        }
        return write_run(tmp_path / name, several, judged, model=name, **chosen)

    return write
