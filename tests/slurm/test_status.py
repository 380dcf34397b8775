"""What a run's files say of it: how far it is, what crashed where, which nodes to leave out."""

import json
import os
from pathlib import Path

import pytest
from scale import TASK, record_of

from turnwise.commands.status import render_status, status_document
from turnwise.json_text import json_text
from turnwise.records.codec import from_json
from turnwise.records.run_folder import RunFolder, Shard, cut_shards, plan_order
from turnwise.runners.work import freeze
from turnwise.slurm.claims import Claim, Claims, Ended, ShardState
from turnwise.slurm.events import Event, EventLog
from turnwise.slurm.jobs import job_environment
from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.status import read_status
from turnwise.slurm.submission import JUDGE, SAMPLE, ClusterFolder, SubmissionRecord, freeze_submission


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run of ten shards of three dialogues."""
    folder = RunFolder(tmp_path / "run")
    record = record_of(10, 3)
    freeze(folder, record, lambda one: cut_shards(TASK, plan_order(one.tasks[0], 3), size=3))
    return folder


def _end(run: RunFolder, step: str, shard: Shard, *how: Ended, node: str = "n1") -> None:
    claims = Claims(ClusterFolder(run.path).claims(step), "w")
    for attempt, one in enumerate(how, 1):
        claims.take(shard, ShardState({attempt - 1: Ended.LOST} if attempt > 1 else {}), node=node, job="7_0")
        claims.end(Claim(shard, attempt), one)


def _log(run: RunFolder, worker: str, *events: tuple[float, str, dict[str, object]]) -> None:
    log = EventLog(ClusterFolder(run.path).events(worker))
    for at, event, more in events:
        log.write(from_json(Event, {**more, "time": at, "event": event}))
    log.close()


def test_progress_rate_and_time_left(run: RunFolder) -> None:
    """Dialogues by the hours that samplers had; judges have no say in it."""
    for shard in run.shards[:4]:
        _end(run, SAMPLE, shard, Ended.DONE)
    _end(run, JUDGE, run.shards[0], Ended.DONE)
    hour = (0.0, "start", {"gpus": 2}), (3600.0, "stop", {"status": 0, "told": ""})
    for worker in ("0001-sample-0000", "0001-sample-0001", "0001-judge-0000"):
        _log(run, worker, *hour)
    status = read_status(run)
    assert status.dialogues == (12, 30) and status.per_hour == 12.0 and status.hours_left == 1.5
    said = render_status(status, run.path)
    assert "Sampling: 4 done, 0 running, 6 waiting, 0 poison of 10 shards." in said
    assert "Judging: 1 done, 0 running, 9 waiting, 0 poison of 10 shards." in said
    assert "Dialogues sampled: 12 of 30, 12 an hour, about 1.5 hours left." in said
    assert "Jobs: none is left." in said and "GPU-hours billed: 6.00 (6.00 ended), by the workers' logs." in said


def test_a_document_says_the_same(run: RunFolder) -> None:
    """As JSON, with the hours by the workers' logs."""
    for number in (0, 1):
        _end(run, SAMPLE, run.shards[number], Ended.DONE)
    _log(run, "0001-sample-0000", (0.0, "start", {"gpus": 2}), (3600.0, "stop", {"status": 0, "told": ""}))
    record = SubmissionRecord(options={}, profile=ClusterProfile(), code="", folder="/", workers=1, submitted=0.0)
    freeze_submission(ClusterFolder(run.path), record, [])
    document = json.loads(json_text(status_document(run.path)))
    assert document["shards"]["sample"] == {"done": 2, "running": 0, "waiting": 8, "poison": 0}
    assert document["dialogues"] == {"done": 6, "of": 30} and document["hours_left"] == 4.0
    assert document["gpu_hours"] == 2.0 and document["errors"] == [] and document["left_out"] == []


def test_what_crashed_is_told_with_its_node_and_its_problems(run: RunFolder) -> None:
    """Poison shards, the last lines of workers, and a node over which three shards crashed."""
    crashes = []
    for number, shard in enumerate(run.shards[:3]):
        _end(run, SAMPLE, shard, *[Ended.CRASHED] * (3 if number == 0 else 1), node="bad")
        crashes.append(
            (float(number), "crash", {"node": "bad", "status": -9, "shards": [[TASK, number]], "log": ["oom"]})
        )
    _log(
        run,
        "0001-sample-0000",
        *crashes,
        (9.0, "crash", {"node": "good", "status": 1, "shards": [[TASK, 5]], "log": []}),
    )
    status = read_status(run)
    assert status.bad_nodes == ["bad"]
    said = render_status(status, run.path)
    assert f"Left out: {TASK}/00000 (sample): crashed 3 times, on bad; problems sample_mbpp_plus/Simulated/0." in said
    assert "0001-sample-0000 on bad was ended by SIGKILL; its last lines:\n  oom" in said
    assert "on good ended with 1" in said
    assert f"Workers crashed over three shards on bad: turnwise resume {run.path} --exclude bad" in said


def test_jobs_of_one_node_have_ports_and_caches_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neighbours in number are the ones that meet; what the user set stays."""
    found = []
    for job in ("41", "42"):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        found.append(job_environment(os.environ))
    assert not set(found[0].values()) & set(found[1].values()) and set(found[0]) == set(found[1]) >= {"VLLM_PORT"}
    ports = [int(one["VLLM_PORT"]) for one in found]
    assert ports[1] - ports[0] >= 20 and all(1024 < port < 65_000 for port in ports)
