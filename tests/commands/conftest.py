"""A small run on the bundled sample, written by hand, to be exported and imported."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.exchange.imported import write_imported
from turnwise.records.judgement import Judgement, program_hash
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.records.run_folder import RunRecord
from turnwise.records.settings import JudgeRecord, PromptsRecord, RunSettings
from turnwise.records.trajectory import Call, End, Message, Reply, Trajectory, Turn
from turnwise.runners.loading import open_task
from turnwise.tasks.catalog import TASKS

TASK = "sample_mbpp_plus_multiturn"
_ENVIRONMENT = Environment("planned 1", "none", "CPython 3.11", "tokens")
_VERDICTS = {"pass": Verdict.PASSED, "fail": Verdict.WRONG_ANSWER, "none": Verdict.NO_CODE}

WriteSampleRun = Callable[..., Path]


def _turn(problem: str, word: str, text: str) -> Turn:
    call = Call((Message("user", "statement", "statement", "Solve."),), Reply(text, "thought", "stop", 7, 3))
    results = () if word == "none" else (TestResult(0, _VERDICTS[word]),)
    report = Report(problem, _VERDICTS[word], results, None, _ENVIRONMENT)
    return Turn((call,), None if word == "none" else text, report)


def _judgement(trajectory: Trajectory, verdict: Verdict) -> Judgement:
    number = len(trajectory.turns) - 1
    place = (trajectory.task, trajectory.problem, trajectory.sample, number)
    digest = program_hash(trajectory.turns[-1].program or "")
    return Judgement(*place, digest, verdict, True, 4, 0.25, "none", "k")


@pytest.fixture(scope="session")
def problem_names() -> list[str]:
    """The names of the problems of the bundled sample_mbpp_plus."""
    return [problem.name for problem in load_problems("sample_mbpp_plus").scorable]


@pytest.fixture
def write_sample_run(tmp_path: Path) -> WriteSampleRun:
    """write_sample_run(name, texts=, model=, lost=): two samples of each problem of sample_mbpp_plus.

    The first sample passes in turn 2, the second fails all three turns, that of the last problem has no code at
    its end; ``texts`` replaces what the model says, in turn; ``lost`` drops dialogues from the plan's end.
    """

    def write(name: str, *, texts: Sequence[str] = ("print(1)\n",), model: str = "org/m", lost: int = 0) -> Path:
        settings = RunSettings(samples_per_problem=2, n_at_k=("1@3",), limit=50)
        task = open_task(TASKS[TASK], settings).to_record(settings)
        dialogues = {}
        for number, problem in enumerate(task.asked):
            for sample, words in enumerate((["fail", "pass"], ["fail", "fail", "fail"])):
                if sample and number == len(task.asked) - 1:
                    words[-1] = "none"
                turns = tuple(_turn(problem.id, one, texts[at % len(texts)]) for at, one in enumerate(words))
                end = End.TURN_LIMIT if sample else End.PUBLIC_PASSED
                dialogues[TASK, problem.id, sample] = Trajectory(TASK, problem.id, sample, 7 + sample, turns, end)
        for key in list(dialogues)[len(dialogues) - lost :]:
            del dialogues[key]
        passed = [one for one in dialogues.values() if one.end is End.PUBLIC_PASSED]
        judgements = [_judgement(one, Verdict.PASSED) for one in passed]
        judgements[:1] = [replace(judgements[0], verdict=Verdict.TIME_LIMIT)]
        record = RunRecord(
            turnwise="0",
            model={"back_end": "planned", "model": model},
            settings=settings,
            judge=JudgeRecord("planned 1", "CPython 3.11", "tokens", 1.0),
            prompts=PromptsRecord("turnwise-1", {"statement": "0"}),
            tasks=(task,),
        )
        write_imported(tmp_path / name, record, dialogues, judgements)
        return tmp_path / name

    return write


@pytest.fixture
def write_json(tmp_path: Path) -> Callable[..., Path]:
    """write_json(name, data): a JSON document, or (.jsonl) a line for each of several."""

    def write(name: str, data: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = data if name.endswith(".jsonl") and isinstance(data, list) else [data]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    return write
