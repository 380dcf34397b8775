"""Imported runs are ordinary run folders: whole shards with digests, gaps in the plan, run.json last."""

import subprocess
from pathlib import Path

import pytest

from turnwise.exchange.imported import write_imported
from turnwise.records.judgement import Judgement
from turnwise.records.report import Environment, Report, Verdict
from turnwise.records.run_folder import AskedProblem, RunFolder, RunRecord, TaskRecord
from turnwise.records.settings import JudgeRecord, PromptsRecord, RunSettings
from turnwise.records.trajectory import Call, End, Reply, Trajectory, Turn
from turnwise.runners.store import SHARD_DIALOGUES

SAMPLES = SHARD_DIALOGUES + 6


def _record(judge: str) -> RunRecord:
    task = TaskRecord(
        task="t",
        benchmark="b",
        split="test",
        max_turns=1,
        strategy="single_turn",
        data_sha256="0" * 64,
        loaded=2,
        asked=(
            AskedProblem(id="b/a"),
            AskedProblem(id="b/b"),
        ),
    )
    settings = RunSettings(samples_per_problem=SAMPLES)
    return RunRecord(
        turnwise="0",
        model={"model": "m"},
        settings=settings,
        judge=JudgeRecord(judge, "", "", 1.0),
        prompts=PromptsRecord("", {}),
        tasks=(task,),
    )


def _trajectory(problem: str, sample: int) -> Trajectory:
    report = Report(problem, Verdict.PASSED, (), None, Environment("e", "", "", ""))
    turn = Turn((Call((), Reply("x")),), "x", report)
    return Trajectory("t", problem, sample, 0, (turn,), End.PUBLIC_PASSED)


def test_what_cannot_be_written_whole_is_removed(tmp_path: Path) -> None:
    """So that the same import can be tried again."""
    (tmp_path / "run" / "run.json" / "x").mkdir(parents=True)
    there = {("t", "p", 0): _trajectory("p", 0)}
    with pytest.raises(OSError, match=r"run\.json"):
        write_imported(tmp_path / "run", _record("e"), there, [])
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.json"]


def test_gaps_are_shards_that_are_not_there(tmp_path: Path) -> None:
    """What is there stands in plan order in whole shards; sha256sum accepts their digests."""
    there = {("t", "b/a", sample): _trajectory("b/a", sample) for sample in range(SAMPLES) if sample != 3}
    there["t", "b/b", 1] = _trajectory("b/b", 1)
    folder = write_imported(tmp_path / "run", _record("e"), there, [])
    assert [(one.sample, one.problem) for one in folder.trajectories("t")] == [(key[2], key[1]) for key in there]
    sizes = [(len(one.keys), folder.check_shard(one) is not None) for one in folder.shards]
    assert sizes == [(3, True), (1, False), (64, True), (2, True), (1, False), (1, True), (64, False), (4, False)]
    digests = sorted((tmp_path / "run" / "trajectories" / "t").glob("*.sha256"))
    for digest in digests:
        subprocess.run(["sha256sum", "--check", "--quiet", digest.name], cwd=digest.parent, check=True)
    assert len(digests) == 4
    assert not (tmp_path / "run" / "verdicts").exists()


def test_verdicts_stand_under_the_name_of_their_judge(tmp_path: Path) -> None:
    """Whatever that is called, the file stays in the folder."""
    judgement = Judgement("t", "b/a", 0, 0, "0" * 16, Verdict.PASSED, True, 0, 0.0, "unknown", "k")
    for number, (judge, name) in enumerate({"evalplus": "evalplus", "../x y\0": "-x-y-", "": "imported"}.items()):
        folder = write_imported(tmp_path / str(number), _record(judge), {}, [judgement])
        assert [path.name for path in (folder.path / "verdicts").iterdir()] == [f"{name}.jsonl"]
        assert folder.judgements() == {judgement.place: judgement}


def test_a_folder_with_a_run_json_is_whole(tmp_path: Path) -> None:
    """Everything else was written before it, so a run that was not written whole is no run."""
    there = {("t", "b/a", 0): _trajectory("b/a", 0)}
    path = write_imported(tmp_path / "run", _record("e"), there, []).path
    newest = max((one for one in path.rglob("*") if one.is_file()), key=lambda one: one.stat().st_mtime_ns)
    assert newest == RunFolder(path).run_json
