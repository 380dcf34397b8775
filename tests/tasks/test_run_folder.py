"""The run folder read back; each thing missing or damaged is one sentence that names the file."""

import errno
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnwise.errors import TurnwiseError
from turnwise.records import run_folder
from turnwise.records.codec import to_line
from turnwise.records.judgement import Judgement
from turnwise.records.report import Environment, Report, Verdict
from turnwise.records.run_folder import (
    AskedProblem,
    RunFolder,
    RunRecord,
    Shard,
    TaskRecord,
    cut_shards,
    digest_file,
    digest_line,
    plan_lines,
    plan_order,
)
from turnwise.records.settings import JudgeRecord, PromptsRecord, RunSettings
from turnwise.records.trajectory import End, Trajectory, Turn

REPORT = Report("b/p", Verdict.NO_CODE, (), None, Environment("planned", "none", "no Python", "tokens"))


def _task(name: str, *problems: str) -> TaskRecord:
    return TaskRecord(
        task=name,
        benchmark="b",
        split="test",
        max_turns=3,
        strategy="multi_turn",
        data_sha256="0",
        loaded=9,
        asked=tuple(AskedProblem(id=problem) for problem in problems),
    )


RECORD = RunRecord(
    turnwise="0",
    model={"model": "m"},
    settings=RunSettings(samples_per_problem=2),
    judge=JudgeRecord("planned 1", "CPython 3.11", "tokens", 1.0),
    prompts=PromptsRecord("turnwise-1", {}),
    tasks=(
        _task("t", "b/z", "b/a", "b/m"),
        _task("u", "b/a"),
    ),
)


def _shards(record: RunRecord = RECORD, size: int = 4) -> list[Shard]:
    orders = [(task.task, plan_order(task, record.samples_per_problem)) for task in record.tasks]
    return [shard for task, keys in orders for shard in cut_shards(task, keys, size=size)]


def _trajectories(shard: Shard) -> list[Trajectory]:
    turn = Turn((), None, REPORT)
    return [Trajectory(shard.task, problem, sample, 0, (turn,), End.TURN_LIMIT) for problem, sample in shard.keys]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run of two tasks, two samples a problem, in three shards; all but the second one are committed."""
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.run_json.write_text(to_line(RECORD))
    (run.path / "shards.jsonl").write_text(plan_lines(_shards()))
    for shard in (_shards()[0], _shards()[2]):
        path = run.shard_file(shard)
        path.parent.mkdir(parents=True)
        path.write_text("".join(to_line(one) + "\n" for one in _trajectories(shard)))
        digest_file(path).write_text(digest_line(path, path.read_bytes()))
    return run


def _error(read: Callable[[], object]) -> str:
    """Return the message of the TurnwiseError that ``read`` raises, which is one sentence on one line."""
    with pytest.raises(TurnwiseError) as caught:
        read()
    message = str(caught.value)
    assert re.fullmatch(r"[^\n]+[^.\n]\.", message)
    return message


def test_a_run_reads_back(folder: RunFolder) -> None:
    """Record, plan and trajectories are what was written; a shard that is not committed is None."""
    assert folder.record == RECORD and folder.record.samples_per_problem == 2
    assert folder.shards == tuple(_shards())
    first, second, other = folder.shards
    assert first.keys == (("b/z", 0), ("b/z", 1), ("b/a", 0), ("b/a", 1)) and second.keys == (("b/m", 0), ("b/m", 1))
    assert folder.shard_file(second) == folder.path / "trajectories" / "t" / "00001.jsonl"
    assert folder.read_shard(first) == _trajectories(first)
    assert folder.read_shard(second) is None
    assert [list(folder.trajectories(task)) for task in "tux"] == [_trajectories(first), _trajectories(other), []]


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (replace(RECORD, judge=replace(RECORD.judge, tests="some")), "judge: tests is 'some'"),
        (replace(RECORD, tasks=(replace(RECORD.tasks[0], checked=-1),)), "checked or invalid_tests of t is out of"),
        (replace(RECORD, tasks=(replace(RECORD.tasks[0], invalid_tests={"b/z": -1}),)), "invalid_tests of t is out of"),
    ],
)
def test_what_no_judge_says_is_refused(record: RunRecord, sentence: str, folder: RunFolder) -> None:
    """Unknown tests, and counts below 0."""
    folder.run_json.write_text(to_line(record))
    assert sentence in _error(lambda: folder.record)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 7), st.integers(1, 5))
def test_a_plan_reads_back_however_it_is_cut(problems: list[int], samples: int, size: int) -> None:
    """shards.jsonl says first and count of each; together they are every dialogue once, in order."""
    tasks = [_task(f"t{number}", *(f"b/{one}" for one in range(count))) for number, count in enumerate(problems)]
    record = replace(RECORD, tasks=tuple(tasks), settings=RunSettings(samples_per_problem=samples))
    shards = _shards(record, size)
    lines = [json.loads(line) for line in plan_lines(shards).splitlines()]
    for task in tasks:
        keys = plan_order(task, samples)
        parts = [one for one in lines if one["task"] == task.task]
        assert [one["shard"] for one in parts] == list(range(len(parts)))
        assert [key for one in parts for key in keys[one["first"] : one["first"] + one["count"]]] == keys
        assert [key for shard in shards if shard.task == task.task for key in shard.keys] == keys
        assert all(1 <= one["count"] <= size for one in parts)


def test_a_folder_without_run_json_is_no_run(tmp_path: Path) -> None:
    """The folder stands in the sentence."""
    message = _error(lambda: RunFolder(tmp_path / "nothing").record)
    assert message.startswith(f"'{tmp_path / 'nothing'}' is no run folder, since it holds no run.json: ")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text[: len(text) // 2], "it is cut off or no JSON)"),
        (lambda text: text + "\0", "it is cut off or no JSON)"),
        (lambda text: "", "it is cut off or no JSON)"),
        (lambda text: text.replace("{", '{"lucky": 7, ', 1), "lucky: unknown field"),
        (lambda text: text.replace('"loaded":9', '"loaded":9,"lost":1', 1), "tasks.0.lost: unknown field"),
        (
            lambda text: text.replace('"format":1', '"format":"1"'),
            "format '1' is unknown here; turnwise '0', which wrote it, reads it",
        ),
        (lambda text: text.replace('"turnwise":"0",', ""), "turnwise: field required"),
        (lambda text: text.replace('"samples_per_problem":2,', ""), "settings.samples_per_problem: field required"),
        (
            lambda text: text.replace('"matcher":"tokens"', '"matcher":7'),
            "judge.matcher: input should be a valid string",
        ),
    ],
)
def test_a_damaged_run_json_is_named_with_the_place(
    folder: RunFolder, damage: Callable[[str], str], reason: str
) -> None:
    """Torn, an unknown field, a wrong type, a field that is not there."""
    folder.run_json.write_text(damage(folder.run_json.read_text()))
    message = _error(lambda: folder.record)
    assert message.startswith(f"'{folder.run_json}' cannot be read ({reason}")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (None, "cannot be read (No such file or directory)"),
        (lambda text: text[:-5], "cannot be read (line 3: it is cut off or no JSON)"),
        (lambda text: text + "\0\0", "cannot be read (line 4: it is cut off or no JSON)"),
        (lambda text: text + "[]\n", "cannot be read (line 4: input should be an object, not [])"),
        (lambda text: text.replace('"first"', '"fist"', 1), "cannot be read (line 1: first: field required)"),
        (lambda text: text.replace('"task": "u"', '"task": "x"'), "cannot be read ('x' is unknown)"),
        (
            lambda text: text.replace('"first": 4', '"first": "4"'),
            "cannot be read (line 2: first: input should be a valid integer, not '4')",
        ),
        (lambda text: text.replace("u", "ü"), "cannot be read (it is not ASCII)"),
        (lambda text: "", "is not that of run.json beside it"),
        (lambda text: text.splitlines(keepends=True)[0], "is not that of run.json beside it"),
        (lambda text: text.replace('"count": 4', '"count": 3'), "is not that of run.json beside it"),
        (lambda text: "".join(reversed(text.splitlines(keepends=True))), "is not that of run.json beside it"),
    ],
)
def test_a_plan_that_is_missing_damaged_or_anothers_is_named(
    folder: RunFolder, damage: Callable[[str], str] | None, reason: str
) -> None:
    """It has to say every dialogue of run.json once and in order."""
    path = folder.path / "shards.jsonl"
    if damage is None:
        path.unlink()
    else:
        path.write_text(damage(path.read_text()))
    assert f"The plan '{path}' {reason}" in _error(lambda: folder.shards)


def test_the_plan_of_another_run_is_refused(folder: RunFolder) -> None:
    """Other problems, same number of dialogues: the names decide, which run.json holds."""
    other = replace(RECORD, settings=RunSettings(samples_per_problem=3))
    folder.run_json.write_text(to_line(other))
    assert "is not that of run.json beside it: remove the folder." in _error(lambda: folder.shards)


def test_a_shard_changed_after_it_was_committed_is_named(folder: RunFolder) -> None:
    """One character suffices, and so does another digest; the remedy is to remove both."""
    shard = folder.shards[0]
    path = folder.shard_file(shard)
    path.write_text(path.read_text().replace('"seed":0', '"seed":1', 1))
    message = _error(lambda: folder.read_shard(shard))
    assert message.startswith(f"The shard '{path}' has been changed since it was committed: ")
    assert message.endswith("remove it (and its .sha256) to sample that shard anew.")
    assert _error(lambda: folder.check_shard(shard)) == _error(lambda: list(folder.trajectories("t"))) == message
    digest_file(path).write_bytes(b"\xff")
    assert _error(lambda: folder.check_shard(shard)) == message


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text[:-9], "cannot be read (line 4: it is cut off or no JSON)"),
        (lambda text: text + "\0" * 512, "cannot be read (line 5: it is cut off or no JSON)"),
        (lambda text: text.replace("b/z", "b/ä"), "cannot be read (it is not ASCII)"),
        (
            lambda text: text.replace('"end":"turn_limit"', '"end":"lunch"'),
            "cannot be read (line 1: end: input should be",
        ),
        (lambda text: text.replace('"turns"', '"twists"', 1), "cannot be read (line 1: turns: field required)"),
        (
            lambda text: text.replace('"turn_limit"', '"turn_limit","lucky":7'),
            "cannot be read (line 1: lucky: unknown field)",
        ),
        (lambda text: "[]\n", "cannot be read (line 1: input should be an object, not [])"),
        (lambda text: "", "does not hold the dialogues of the plan"),
        (lambda text: "".join(text.splitlines(keepends=True)[1:]), "does not hold the dialogues of the plan"),
        (lambda text: "".join(reversed(text.splitlines(keepends=True))), "does not hold the dialogues of the plan"),
        (lambda text: text + text.splitlines(keepends=True)[0], "does not hold the dialogues of the plan"),
        (lambda text: text.replace("b/z", "b/m"), "does not hold the dialogues of the plan"),
    ],
)
def test_a_shard_that_is_torn_or_of_another_plan_is_named(
    folder: RunFolder, damage: Callable[[str], str], reason: str
) -> None:
    """Without a digest, as an attempt killed just before it leaves it, the shard still has to be whole."""
    shard = folder.shards[0]
    path = folder.shard_file(shard)
    path.write_text(damage(path.read_text()))
    digest_file(path).unlink()
    assert _error(lambda: folder.read_shard(shard)).startswith(f"The shard '{path}' {reason}")


def test_a_shard_that_others_may_not_read_is_not_called_damaged(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told to remove what a colleague's folder only keeps closed."""

    def refuse(path: Path, **_: object) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    shard = folder.shards[0]
    monkeypatch.setattr(run_folder, "read_whole", refuse)  # as root a test can read all
    message = _error(lambda: folder.check_shard(shard))
    assert "cannot be read (Permission denied): have its owner let you read it" in message
    assert "remove it" not in message


def test_a_shard_without_its_digest_is_read(folder: RunFolder) -> None:
    """The digest is written after the shard; killed between them, nothing is lost."""
    shard = folder.shards[0]
    digest_file(folder.shard_file(shard)).unlink()
    assert folder.read_shard(shard) == _trajectories(shard)


def test_the_digest_is_what_sha256sum_writes(tmp_path: Path) -> None:
    """So a user can check a folder without us."""
    path = tmp_path / "00000.jsonl"
    assert digest_file(path) == tmp_path / "00000.sha256"
    assert (
        digest_line(path, b"") == f"{'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}  00000.jsonl\n"
    )


def test_of_two_judgements_on_one_program_the_first_counts(folder: RunFolder) -> None:
    """Two workers may have judged it; files go by name. A torn line is skipped, no folder is no judgement."""
    assert folder.judgements() == {}
    first = Judgement("t", "b/z", 0, 0, "00", Verdict.PASSED, True, 1, 0.0, "none", "")
    second = Judgement("t", "b/z", 0, 0, "00", Verdict.WRONG_ANSWER, True, 1, 0.0, "none", "")
    other = Judgement("t", "b/z", 0, 0, "01", Verdict.WRONG_ANSWER, True, 1, 0.0, "none", "")
    (folder.path / "verdicts").mkdir()
    (folder.path / "verdicts" / "a.jsonl").write_text(f"{to_line(first)}\n{to_line(other)[:20]}")
    (folder.path / "verdicts" / "b.jsonl").write_text(f"{to_line(second)}\n{to_line(other)}\n")
    assert folder.judgements() == {first.place: first, other.place: other}
