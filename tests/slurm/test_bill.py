"""What jobs are billed: SLURM's accounting where it keeps GPUs, else the workers' logs; never nothing for something."""

import json
from pathlib import Path
from typing import Any

import pytest

from turnwise.slurm.status import Attempt, make_bill, read_attempts
from turnwise.slurm.submission import ClusterFolder

ATTEMPTS = [
    Attempt("0001-sample-0000", "7_0", "n1", 2, 0, 3600.0, 360.0, "requeued"),
    Attempt("0001-sample-0000", "7_0", "n2", 2, 1, 1800.0, 900.0, "ended"),
    Attempt("0001-judge-0000", "8_0", "n3", 0, 0, 3600.0, 10.0, "ended"),
]
BY_LOGS = {"requeued": 2.0, "ended": 1.0}


@pytest.fixture
def accounting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """accounting(text, status): what sacct prints and ends with; its arguments are kept beside it."""

    def set_up(text: str, status: int = 0) -> Path:
        script = tmp_path / "sacct"
        script.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/asked\ncat <<'END'\n{text}END\nexit {status}\n")
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return tmp_path / "asked"

    return set_up


def test_accounting_counts_every_attempt_of_every_job(accounting: Any) -> None:
    """Also those before a requeue (-D), by the state in which each ended; jobs without a GPU take none."""
    asked = accounting(
        "PREEMPTED|3600|billing=8,cpu=8,gres/gpu=2,mem=64G,node=1\n"
        "COMPLETED|1800|cpu=8,gres/gpu:h100=2,gres/gpu=2\n"
        "CANCELLED by 0|900|cpu=8,gres/gpu:h100=2,gres/gpu:a100=2\n"
        "COMPLETED|3600|billing=8,cpu=8\n"
    )
    bill = make_bill(ATTEMPTS, ["7", "8"])
    assert bill.is_accounted and bill.billed == {"PREEMPTED": 2.0, "COMPLETED": 1.0, "CANCELLED": 1.0}
    assert {"-D", "-X", "7,8"} <= set(asked.read_text().split())


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("COMPLETED|3600|billing=8,cpu=8,mem=64G,node=1\n", 0),  # AccountingStorageTRES names no GPUs
        ("", 0),
        ("", 1),
    ],
    ids=["no GPUs kept", "nothing kept", "refused"],
)
def test_without_accounting_of_gpus_the_workers_tell(accounting: Any, text: str, status: int) -> None:
    """What SLURM does not count is not zero."""
    accounting(text, status)
    bill = make_bill(ATTEMPTS, ["7", "8"])
    assert (bill.is_accounted, bill.billed) == (False, BY_LOGS)


def test_a_run_without_gpus_is_accounted_as_such(accounting: Any) -> None:
    """Nothing was billed, and SLURM says so."""
    accounting("COMPLETED|3600|billing=8,cpu=8\n")
    bill = make_bill(ATTEMPTS[2:], ["8"])
    assert bill.is_accounted and bill.billed == {"COMPLETED": 0.0}


def test_waste_is_named_by_what_ended_the_attempt_before(accounting: Any) -> None:
    """The first loading is no waste; what is loaded again is, and so is an attempt that took no shard."""
    accounting("", 1)
    idle = Attempt("0001-sample-0001", "7_1", "n1", 1, 0, 720.0, 720.0, "lost without a word")
    assert make_bill([*ATTEMPTS, idle], []).wasted == {"after: requeued": 0.5, "lost without a word": 0.2}


def test_attempts_are_read_from_the_logs_of_workers(tmp_path: Path) -> None:
    """A life begins with each start; one that says nothing at its end was lost, unless its heart still beats."""
    cluster = ClusterFolder(tmp_path)
    lines = [
        {"time": 0.0, "event": "start", "job": "7_0", "node": "n1", "gpus": 2},
        {"time": 60.0, "event": "claim", "task": "t", "shard": 0, "attempt": 1},
        {"time": 600.0, "event": "start", "job": "7_0", "node": "n2", "gpus": 2},
        {"time": 630.0, "event": "claim", "task": "t", "shard": 0, "attempt": 2},
        {"time": 670.0, "event": "stop", "status": 76, "told": "SIGUSR2"},
        {"time": 900.0, "event": "start", "job": "7_0", "node": "n2", "gpus": 2},
        {"time": 990.0, "event": "stop", "status": 75, "told": "SIGTERM"},
    ]
    path = cluster.events("0001-sample-0000")
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"time": 99')
    found = [(one.cause, one.seconds, one.idle_seconds) for one in read_attempts(cluster, 10_000.0)]
    assert found == [("lost without a word", 60.0, 60.0), ("requeued", 70.0, 30.0), ("told to end", 90.0, 90.0)]


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("0 requeued\n1 cancelled\n", "cancelled"),
        ("1 requeued", "requeued"),
        ("1 refused", "not requeued, since SLURM refused"),
        ("1 unanswered", "not requeued, since SLURM did not answer"),
        ("1 canc", "told to end"),
        ("", "told to end"),
    ],
)
def test_the_bill_counts_what_became_of_a_job_not_what_it_was_to_become(tmp_path: Path, words: str, cause: str) -> None:
    """The batch script's word counts for the attempt that it is about; a torn one for none."""
    cluster = ClusterFolder(tmp_path)
    path = cluster.events("0001-sample-0000")
    path.parent.mkdir(parents=True)
    path.write_text(
        '{"time": 0.0, "event": "start", "job": "7_0", "restarts": 1, "gpus": 2}\n'
        '{"time": 90.0, "event": "stop", "status": 75, "told": "SIGTERM"}\n'
    )
    cluster.ends.mkdir()
    (cluster.ends / "7_0").write_text(words)
    assert [one.cause for one in read_attempts(cluster, 10_000.0)] == [cause]
