"""Runs that the real commands made, of recorded answers, and problems that stand in real test sets."""

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.cli.main import _finish
from turnwise.records.run_folder import RunFolder
from turnwise.records.training import read_report
from turnwise.runners.models.chat import to_chat
from turnwise.tasks.dialogue import messages_of

Command = Callable[..., tuple[int, str]]
ANSWERS = Path(str(resources.files("turnwise.benchmarks"))) / "sample" / "answers"


def check_messages(data: Path, runs: Path) -> int:
    """Each dialogue of a plain multi-turn run is written as its run recorded it; return how many there are."""
    recorded = {
        (one.task, one.problem, one.sample, run.name): one
        for run in runs.iterdir()
        for task in RunFolder(run).record.tasks
        for one in RunFolder(run).trajectories(task.task)
    }
    lines = (data / "train.jsonl").read_text().splitlines()
    for row in map(json.loads, lines):
        trajectory = recorded[row["task"], row["problem"], row["sample"], row["run"]]
        asked = messages_of(trajectory, row["turns"] - 1, 0, keep_reasoning=True)
        assert row["messages"][:-1] == to_chat(asked)
        assert row["messages"][-1]["content"] == trajectory.turns[-1].calls[0].reply.text
        assert len(trajectory.turns) == row["turns"]
    return len(lines)


def test_what_a_judged_run_solved_is_written_as_it_was_recorded(rft_data: Command, tmp_path: Path) -> None:
    """Of a run that is judged here the messages are those that were sent, its own test set left out of the check."""
    task = "sample_mbpp_plus_multiturn"
    line = ["run", "-M", "replay", "-a", f"path={ANSWERS / 'repairing.jsonl'}", "-t", task, "-o", "runs/repairing"]
    assert _finish([*line, "--metadata", '{"samples_per_problem": 2}', "--workers", "2"]) == 0
    given = ("runs", "-o", "data", "--turns", "all", "--train-on-test", task)
    status, said = rft_data(*given, against="sample_*_multiturn", runs_programs=True)
    assert status == 0, said
    assert check_messages(tmp_path / "data", tmp_path / "runs") >= 2
    report = read_report(tmp_path / "data")
    assert task not in report.settings.against
    assert len(report.settings.against) == 3
    assert report.judge.executor.startswith("hardened")


def test_problems_of_a_test_set_are_dropped_and_shown_with_their_pair(
    write_run: Callable[..., Path], rft_data: Command, tmp_path: Path, toy: Path
) -> None:
    """A statement that a test set has, too, takes its problem out; report and page name both, and none says so."""
    other = load_problems("sample_codecontests").problems[0]
    rows = [json.loads(line) for line in toy.read_text().splitlines()]
    rows[2]["statement"] = other.statement
    toy.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = write_run()
    status, said = rft_data(run, "-o", "data", against="sample_codecontests_multiturn", runs_programs=True)
    assert status == 0, said
    report = read_report(tmp_path / "data")
    assert list(report.contaminated) == ["sums_train/add 2"]
    assert report.contamination is not None
    assert [(pair.problem, pair.other) for pair in report.contamination.pairs] == [("sums_train/add 2", other.id)]
    assert set(report.contamination.data_sha256) == {"sample_codecontests_multiturn"}
    problems = {json.loads(line)["problem"] for line in (tmp_path / "data" / "train.jsonl").read_text().splitlines()}
    assert problems == {f"sums_train/add {number}" for number in (0, 1, 3, 4, 5)}
    dropped = {step.name: step.multi.dropped for step in report.steps}
    assert dropped["uncontaminated"] == {"contaminated": 2}
    page = (tmp_path / "data" / "report.html").read_text()
    assert other.id in page
    assert "1 of the 6 problems asked stand in a test set" in page
    status, said = rft_data(run, "-o", "data", against="sample_codecontests", runs_programs=True)
    assert (status, "done already" in said) == (0, True)
    assert rft_data(run, "-o", "other")[0] == 0
    assert read_report(tmp_path / "other").contamination is None
    assert "not looked for (--against none)" in (tmp_path / "other" / "report.html").read_text()
    status, said = rft_data(run, "-o", "data")
    assert (status, "(against: ['sample_codecontests_multiturn'], not [])" in said) == (2, True)


@pytest.mark.data
@pytest.mark.long
def test_recorded_answers_of_real_models_go_the_whole_path(rft_data: Command, tmp_path: Path, data_dir: Path) -> None:
    """353 CodeContests answers, and multi-turn ones to MBPP, judged here, become data of what they solved."""
    common: list[Any] = ["-M", "replay", "--data-dir", str(data_dir)]
    recorded = data_dir / "recorded"
    asked = {
        "codecontests": ("codecontests_multiturn", '{"samples_per_problem": 21}', []),
        "mbpp": ("mbpp_plus_multiturn", '{"samples_per_problem": 5, "max_turns": 10}', ["-L", "40"]),
    }
    for name, (task, metadata, more) in asked.items():
        line = ["run", *common, "-a", f"path={recorded / name}.jsonl.gz", "-t", task, "--metadata", metadata, *more]
        assert _finish([*line, "-o", f"runs/{name}"]) == 0
    tasks = ",".join(task for task, _, _ in asked.values())
    given = ("runs", "-o", "data", "--turns", "all", "--train-on-test", tasks, "--data-dir", data_dir)
    against = "codecontests_multiturn,taco_multiturn,humaneval_plus_multiturn,mbpp_plus_multiturn"
    status, said = rft_data(*given, against=against, runs_programs=True)
    assert status == 0, said
    assert check_messages(tmp_path / "data", tmp_path / "runs") > 100
    report = read_report(tmp_path / "data")
    assert report.settings.against == ("taco_multiturn", "humaneval_plus_multiturn")
    assert all(problem.startswith("codecontests/") for problem in report.contaminated)
    assert len(report.contaminated) >= 6
    assert report.steps[-1].multi.dialogues > 0
