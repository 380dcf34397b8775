"""``turnwise rft-data`` from run folders to files: what is kept, what is counted, what is refused."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.locks import Lock
from turnwise.records.codec import from_json, to_json
from turnwise.records.run_folder import RunFolder, RunRecord
from turnwise.records.settings import JudgeRecord, PromptsRecord
from turnwise.records.training import DataReport, DataStep, read_report
from turnwise.records.trajectory import End, Trajectory
from turnwise.training.data.counting import KINDS, StepCounts, kind_of
from turnwise.training.data.selection import Reason, Step

WriteRun = Callable[..., Path]
Command = Callable[..., tuple[int, str]]


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def dropped_of(report: DataReport) -> dict[str, int]:
    """Return how many dialogues were dropped for each reason, of both kinds."""
    found: dict[str, int] = {}
    for step in report.steps:
        for kind in KINDS:
            for reason, number in getattr(step, kind).dropped.items():
                found[reason] = found.get(reason, 0) + number
    return found


def check_sums(steps: tuple[DataStep, ...]) -> None:
    """What a step leaves and drops is what the step before it left."""
    for before, after in pairwise(steps):
        for kind in KINDS:
            left, count = getattr(before, kind), getattr(after, kind)
            assert left.dialogues == count.dialogues + sum(count.dropped.values())
            assert count.problems <= left.problems
            assert bool(count.problems) == bool(count.dialogues)


def with_call(trajectory: Trajectory, *, turn: int = -1, prompt_cut: bool = False, **reply: Any) -> Trajectory:
    """Return the dialogue with fields of the first call of a turn changed."""
    turns = list(trajectory.turns)
    first, *others = turns[turn].calls
    changed = replace(first, reply=replace(first.reply, **reply), prompt_cut=prompt_cut)
    turns[turn] = replace(turns[turn], calls=(changed, *others))
    return replace(trajectory, turns=tuple(turns))


@pytest.mark.parametrize(
    ("turns", "kinds"), [("multi", {"multi"}), ("single", {"single"}), ("all", {"multi", "single"})]
)
def test_solved_dialogues_become_messages(
    turns: str, kinds: set[str], write_run: WriteRun, rft_data: Command, tmp_path: Path
) -> None:
    """Those are written whose last program is right, of one turn or several as --turns says; both are counted."""
    status, said = rft_data(write_run(), "-o", "data", "--turns", turns)
    assert status == 0, said
    rows = lines_of(tmp_path / "data" / "train.jsonl")
    assert {kind_of(row["turns"]) for row in rows} == kinds
    assert all("# right" in row["messages"][-1]["content"] for row in rows)
    assert all([one["role"] for one in row["messages"]] == ["user", "assistant"] * row["turns"] for row in rows)
    report = read_report(tmp_path / "data")
    assert (report.steps[0].single.dialogues, report.steps[0].multi.dialogues) == (12, 18)
    assert (report.steps[-1].single.dialogues, report.steps[-1].multi.dialogues) == (6, 12)
    assert report.files["train.jsonl"].rows == len(rows) == sum({"single": 6, "multi": 12}[kind] for kind in kinds)
    assert "There are no tokens yet: turnwise rft needs them" in said
    check_sums(report.steps)


def test_every_dialogue_that_is_dropped_is_counted_by_its_reason(
    write_run: WriteRun, rft_data: Command, tmp_path: Path
) -> None:
    """Nothing known, not solved, withheld, cut: each has its count, and what is left adds up step by step."""
    changes: dict[tuple[str, int], Callable[[Trajectory], Trajectory | None]] = {
        ("add 0", 0): lambda one: None,
        ("add 0", 1): lambda one: replace(one, end=End.REQUEST_FAILED),
        ("add 0", 2): lambda one: replace(one, end=End.INFRASTRUCTURE_FAILURE, turns=()),
        ("add 1", 0): lambda one: replace(one, end=End.CONTEXT_OVERFLOW),
        ("add 1", 1): lambda one: with_call(one, withheld="content_filter"),
        ("add 2", 0): lambda one: with_call(one, prompt_cut=True),
        ("add 2", 3): lambda one: with_call(one, turn=0, finish_reason="length"),
        ("add 3", 3): lambda one: replace(one, end=End.TURN_LIMIT),
    }

    def change(one: Trajectory) -> Trajectory | None:
        return changes.get((one.problem.rpartition("/")[2], one.sample), lambda one: one)(one)

    run = write_run(change=change)
    verdicts = next((run / "verdicts").iterdir())
    lines = [line for line in verdicts.read_text().splitlines() if '"add 4"' not in line.replace("sums_train/", "")]
    verdicts.write_text("\n".join(lines) + "\n")
    assert rft_data(run, "-o", "data")[0] == 0
    report = read_report(tmp_path / "data")
    check_sums(report.steps)
    assert dropped_of(report) == {
        "not_sampled": 1,
        "request_failed": 1,
        "infrastructure_failure": 1,
        "not_judged": 4,
        "failed": 11,
        "context_overflow": 1,
        "withheld": 1,
        "prompt_cut": 1,
        "reply_cut": 1,
        "other_end": 1,
    }


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(KINDS),
                st.none() | st.tuples(st.sampled_from(list(Step)[1:]), st.sampled_from(list(Reason))),
                st.none() | st.integers(0, 9),
            ),
            max_size=5,
        ),
        max_size=5,
    )
)
def test_counts_add_up_whatever_is_dropped(problems: list[list[tuple[str, Any, int | None]]]) -> None:
    """Each step's dialogues and drops sum up to the step before, in one piece as in two that are added."""
    whole, first, second = (StepCounts(list(Step)) for _ in range(3))
    for number, dialogues in enumerate(problems):
        for counts in (whole, second if number % 2 else first):
            for kind, drop, tokens in dialogues:
                counts.take(kind, drop, sampled=tokens, learnt=tokens)
            counts.end_problem()
    check_sums(whole.to_record())
    first.add(second.to_record())
    assert first.to_record() == whole.to_record()


def test_equal_input_makes_equal_bytes(write_run: WriteRun, rft_data: Command, tmp_path: Path) -> None:
    """The same runs give the same files, wherever they lie and whoever makes them; only the command tells them."""
    run = write_run()
    moved = tmp_path / "elsewhere" / "run"
    shutil.copytree(run, moved)
    verdicts = next((moved / "verdicts").iterdir())
    lines = verdicts.read_text().splitlines()
    verdicts.unlink()
    (moved / "verdicts" / "b.jsonl").write_text("\n".join(lines[::-1]) + "\n")
    assert rft_data(run, "-o", "first", "--turns", "all")[0] == 0
    assert rft_data(moved, "-o", "other", "--turns", "all")[0] == 0
    first, other = (files_of(tmp_path / name) for name in ("first", "other"))
    assert first["train.jsonl"] == other["train.jsonl"]
    reports = [read_report(tmp_path / name) for name in ("first", "other")]
    assert replace(reports[0], command="") == replace(reports[1], command="")
    assert str(tmp_path).encode() not in b"".join(
        data.replace(reports[0].command.encode(), b"") for data in first.values()
    )


def test_a_finished_folder_says_so_and_stays_as_it_is(write_run: WriteRun, rft_data: Command, tmp_path: Path) -> None:
    """The same line again changes nothing, and another setting is refused naming the difference."""
    run = write_run()
    assert rft_data(run, "-o", "data")[0] == 0
    before = files_of(tmp_path / "data")
    status, said = rft_data(run, "-o", "data")
    assert (status, "done already" in said) == (0, True)
    messages = tmp_path / "data" / "train.jsonl"
    whole = messages.read_bytes()
    for damage in (lambda: messages.write_bytes(whole[:-9]), messages.unlink):
        damage()
        status, said = rft_data(run, "-o", "data")
        assert (status, "train.jsonl' was changed or removed" in said) == (2, True), said
    messages.write_bytes(whole)
    status, said = rft_data(run, "-o", "data", "--turns", "all")
    assert status == 2
    assert "holds other training data (turns: 'multi', not 'all')" in said
    verdicts = next((run / "verdicts").iterdir())
    verdicts.write_text(verdicts.read_text().splitlines()[0] + "\n")
    status, said = rft_data(run, "-o", "data")
    assert status == 2
    assert "dialogues or verdicts" in said
    assert files_of(tmp_path / "data") == before


def test_hidden_tests_are_in_no_file(write_run: WriteRun, rft_data: Command, tmp_path: Path) -> None:
    """Neither inputs nor expected outputs of hidden tests stand in anything that is written."""
    assert rft_data(write_run(), "-o", "data", "--turns", "all")[0] == 0
    for name, data in files_of(tmp_path / "data").items():
        assert b"4711" not in data, name


def test_runs_of_one_task_are_joined_first_come(write_run: WriteRun, rft_data: Command, tmp_path: Path) -> None:
    """Problems stand in the order in which the runs asked them, and of two near copies the first run's is kept."""
    later = write_run("later", problems=slice(3, None))
    every = write_run("every")
    assert rft_data(later, every, "-o", "data")[0] == 0
    rows = lines_of(tmp_path / "data" / "train.jsonl")
    order = list(dict.fromkeys(row["problem"].rpartition(" ")[2] for row in rows))
    assert order == ["3", "4", "5", "0", "1", "2"]
    assert {row["run"] for row in rows if row["problem"][-1] in "345"} == {"later"}
    assert {row["run"] for row in rows if row["problem"][-1] in "012"} == {"every"}
    assert dropped_of(read_report(tmp_path / "data"))["near_copy"] == 9


def test_so_many_of_a_problem_are_kept_first_come(write_run: WriteRun, rft_data: Command, tmp_path: Path) -> None:
    """Of 60 different solved dialogues about a problem the first 50 are kept."""
    run = write_run(samples=60, words=lambda problem, sample: ("wrong", "right"), problems=slice(1))
    assert rft_data(run, "-o", "data")[0] == 0
    rows = lines_of(tmp_path / "data" / "train.jsonl")
    report = read_report(tmp_path / "data")
    near = dropped_of(report).get("near_copy", 0)
    assert len(rows) == 50
    assert dropped_of(report)["more_than_most"] == 10 - near
    assert [row["sample"] for row in rows] == sorted(row["sample"] for row in rows)


def changed_record(run: Path, **changes: Any) -> Path:
    """Change fields of run.json."""
    folder = RunFolder(run)
    record = folder.record
    (run / "run.json").write_text(json.dumps(to_json(replace(record, **changes))))
    return run


def changed_tasks(run: Path, old: str, new: str) -> Path:
    """Put a text in place of another in run.json."""
    path = run / "run.json"
    path.write_text(path.read_text().replace(old, new))
    return run


def test_runs_that_cannot_be_trained_on_are_refused(write_run: WriteRun, rft_data: Command, tmp_path: Path) -> None:
    """Each is refused by one sentence that names it and the remedy, with status 2, and nothing is written."""
    run = write_run()
    unjudged = write_run("unjudged", judged=False)
    strict = write_run("strict", judge=JudgeRecord("made 1", "CPython 3.11", "exact", 1.0))
    worded = changed_record(write_run("worded"), prompts=PromptsRecord("turnwise-2", {"statement": "0"}))
    imported = changed_record(write_run("imported"), prompts=PromptsRecord("unknown", {}))
    own = changed_record(write_run("own"), prompts=PromptsRecord("mine", {"statement": "0"}))
    random = write_run("random")
    changed_record(random, settings=replace(RunFolder(random).record.settings, feedback="random"))
    unknown = changed_tasks(write_run("unknown"), "add 5", "add 55")
    results = tmp_path / "results_2026-01-01T00-00-00.000000.json"
    results.write_text("{}")
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    refused: list[tuple[tuple[object, ...], str]] = [
        ((unjudged,), "has no verdict on sums_train_multiturn: turnwise judge"),
        ((run, strict), "have two judges (matcher: 'tokens' and 'exact')"),
        ((run, worded), "have two sets of prompts (hashes of "),
        ((worded,), "The prompts 'turnwise-2' are not those of the runs"),
        ((imported,), "was imported without its prompts"),
        ((own,), "prompts of their own, 'mine': give --prompts"),
        ((random,), "has the feedback random"),
        ((run, run), "is given twice"),
        ((run, copy), "are one, given twice"),
        ((unknown,), "The run asked 'sums_train/add 55', which the data of sums_train_multiturn"),
        ((run, results), "is a file of lm-eval: make a run of it with turnwise import first"),
        ((run, "--embed", "model"), "--embed compares statements with those of --against, which is none"),
        ((run, "--prompts", "nowhere"), "The prompt folder 'nowhere' does not exist"),
        ((run, "--train-on-test", "nothing"), "--train-on-test names 'nothing', which no run has"),
        ((run, "--train-on-test", "sums_train_multiturn"), "which is there to train on"),
        ((run, "--tokenizer", tmp_path / "none"), "The tokenizer"),
        ((run, "--max-length", 0), "--max-length is 0"),
    ]
    for arguments, sentence in refused:
        status, said = rft_data(*arguments, "-o", "data")
        assert (status, sentence in said) == (2, True), (arguments, said)
        assert "Traceback" not in said
        assert not (tmp_path / "data").exists(), arguments


def test_a_test_set_that_is_trained_on_is_refused(write_run: WriteRun, rft_data: Command, tmp_path: Path) -> None:
    """--against with the training task itself is no search, and is not passed over in silence."""
    status, said = rft_data(write_run(), "-o", "data", against="sums_train")
    assert (status, "--against names sums_train_multiturn, whose problems are those that are trained on" in said) == (
        2,
        True,
    ), said
    assert not (tmp_path / "data").exists()


def test_a_step_that_leaves_nothing_is_named_with_its_reasons(
    write_run: WriteRun, rft_data: Command, tmp_path: Path
) -> None:
    """The data set that would be empty is refused, and nothing of it stays."""
    failing = write_run("failing", words=lambda problem, sample: ("wrong",) if sample else ("right",))
    status, said = rft_data(failing, "-o", "data")
    assert status == 2
    assert "No multi-turn dialogue is left after the step solved (failed 24)" in said
    assert not (tmp_path / "data").exists()
    single = write_run("single", words=lambda problem, sample: ("right",))
    status, said = rft_data(single, "-o", "data")
    assert status == 2
    assert "No multi-turn dialogue is left after the step asked (there was none before)" in said


def test_where_verdicts_lack_judging_is_the_remedy(write_run: WriteRun, rft_data: Command, tmp_path: Path) -> None:
    """What passed the public tests and was never judged is named beside what failed."""
    run = write_run(words=lambda problem, sample: ("wrong", "right") if sample else ("right",))
    verdicts = next((run / "verdicts").glob("*.jsonl"))
    single = [line for line in verdicts.read_text().splitlines(keepends=True) if '"sample":0,' in line]
    verdicts.write_text("".join(single))
    status, said = rft_data(run, "-o", "data")
    assert status == 2
    assert "turnwise judge the runs first, since" in said and "dialogues have no verdict" in said


def test_a_folder_that_holds_something_else_is_refused(write_run: WriteRun, rft_data: Command, tmp_path: Path) -> None:
    """Neither files of others nor a file in its place are touched."""
    run = write_run()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notes.txt").write_text("mine")
    assert "is not empty ('notes.txt' is there)" in rft_data(run, "-o", "data")[1]
    assert (tmp_path / "data" / "notes.txt").read_text() == "mine"
    (tmp_path / "data" / "notes.txt").unlink()
    (tmp_path / "data" / "parts").mkdir()
    (tmp_path / "data" / "parts" / "wheel.txt").write_text("mine")
    assert "is not empty ('parts' is there)" in rft_data(run, "-o", "data")[1]
    assert (tmp_path / "data" / "parts" / "wheel.txt").read_text() == "mine"
    status, said = rft_data(run, "-o", run)
    assert status == 2
    assert "is not empty" in said
    assert rft_data(run, "-o", "sums_train.jsonl")[0] == 2


def test_a_second_process_is_refused(write_run: WriteRun, rft_data: Command, tmp_path: Path) -> None:
    """Two processes do not make the same data at a time."""
    run = write_run()
    parts = tmp_path / "data" / "parts"
    parts.mkdir(parents=True)
    lock = Lock(parts / "lock")
    status, said = rft_data(run, "-o", "data")
    assert (status, "Another process makes data" in said) == (2, True)
    lock.release()
    assert rft_data(run, "-o", "data")[0] == 0


def test_too_little_room_is_refused_before_anything_is_written(
    write_run: WriteRun, rft_data: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may be written is estimated, and the disk has to have as much."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    status, said = rft_data(write_run(), "-o", "data")
    assert (status, "GB free: make room" in said) == (2, True)
    assert not (tmp_path / "data").exists()


def test_a_damaged_shard_is_named(write_run: WriteRun, rft_data: Command, tmp_path: Path) -> None:
    """A shard that was changed ends the command with its name; once it is mended the same line goes on."""
    run = write_run()
    shard = next((run / "trajectories").rglob("*.jsonl"))
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-20] + b"\n")
    status, said = rft_data(run, "-o", "data")
    assert (status, shard.name in said) == (2, True)
    shard.write_bytes(whole)
    assert rft_data(run, "-o", "data")[0] == 0
    assert not (tmp_path / "data" / "parts").exists()


def test_training_on_a_test_task_has_to_be_said_and_is_said(
    write_run: WriteRun, rft_data: Command, tmp_path: Path, toy: Path
) -> None:
    """A run of test tasks is refused; named with --train-on-test, command, record and page say so in plain words."""
    sums = tmp_path / "sums.jsonl"
    sums.write_bytes(toy.read_bytes())
    task = "sums_multiturn"
    run = write_run(task=task, benchmark=sums)
    record = RunFolder(run).record
    # Whatever run.json says of itself.
    changed_record(run, tasks=tuple(replace(one, split="train") for one in record.tasks))
    status, said = rft_data(run, "-o", "data", benchmark=sums)
    assert (status, "has no task to train on, only sums_multiturn for testing" in said) == (2, True)
    assert not (tmp_path / "data").exists()
    for again in range(2):
        status, said = rft_data(run, "-o", "data", "--train-on-test", task, benchmark=sums)
        assert (status, again, "Trained on the test task sums_multiturn." in said) == (0, again, True)
    assert read_report(tmp_path / "data").settings.train_on_test == (task,)
    assert "Trained on the test task sums_multiturn" in (tmp_path / "data" / "report.html").read_text()


def test_the_page_shows_every_step_and_loads_nothing(write_run: WriteRun, rft_data: Command, tmp_path: Path) -> None:
    """It has each step, reason and published count, escapes what runs say, and names no script or other server."""
    run = write_run("<img src=x>")
    assert rft_data(run, "-o", "data")[0] == 0
    page = (tmp_path / "data" / "report.html").read_text()
    for step in read_report(tmp_path / "data").steps:
        assert f"<h3>{step.name}</h3>" in page
    for text in ("the last program fails", "177,475", "160,600", "7,238", "13,328", "288", "arXiv 2410.08105"):
        assert text in page
    assert "<img" not in page
    assert "&lt;img src=x&gt;" in page
    assert not any(mark in page for mark in ("<script", "http://", "https://", "@import", "url("))


def test_the_report_can_be_read_back(write_run: WriteRun, rft_data: Command, tmp_path: Path) -> None:
    """report.json is a DataReport, with the digests of the files beside it, the judge, the prompts and the runs."""
    run = write_run()
    assert rft_data(run, "-o", "data")[0] == 0
    report = read_report(tmp_path / "data")
    record = from_json(RunRecord, json.loads((run / "run.json").read_text()))
    assert (report.judge, report.prompts) == (record.judge, record.prompts)
    assert [source.name for source in report.runs] == ["run"]
    assert report.tasks == {"sums_train_multiturn": record.tasks[0].data_sha256}
    assert report.loaded == {"sums_train_multiturn": 6}
    assert set(report.files) == {"train.jsonl"}
    assert set(files_of(tmp_path / "data")) == {"train.jsonl", "report.json", "report.html"}
