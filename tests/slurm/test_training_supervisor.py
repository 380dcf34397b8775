"""One job of a training: whatever ends its trainer, the weights are those of an uninterrupted one."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from fake_trainer import weights, weights_after
from virtual_cluster import wait_for

from turnwise.slurm.events import CRASH, FAILED, Event, read_events
from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.signals import Told
from turnwise.slurm.submission import TRAIN, ClusterFolder, Submission, SubmissionRecord, freeze_submission
from turnwise.slurm.supervisor import GIVEN_UP, STOPPED, WARNED, JobFacts
from turnwise.slurm.training import TrainingSupervisor

FAKE = Path(__file__).with_name("fake_trainer.py")
STEPS = 12


class OneJob:
    """A job that trains for STEPS steps; ``told`` is what it hears."""

    def __init__(self, folder: Path, *, job: str = "7", warn_seconds: int = 120) -> None:
        self.folder = folder
        profile = ClusterProfile(warn_seconds=warn_seconds)
        record = SubmissionRecord(
            options={}, profile=profile, code="0", folder="/", workers=1, submitted=time.time(), trains=True
        )
        cluster = ClusterFolder(folder)
        numbers = cluster.submissions()
        self.submission = Submission(cluster, 1) if numbers else freeze_submission(cluster, record, [])
        self.told = Told()
        self._facts = JobFacts(job, "node1", 0, 1)
        self.command = [sys.executable, "-S", str(FAKE), str(self.folder), str(STEPS)]

    def run(self) -> int:
        """Carry it out; return its exit status."""
        with Path(os.devnull).open("w") as log:
            return TrainingSupervisor(self.submission, TRAIN, 0, self._facts, self.command, self.told, log=log).run()

    def run_told(self, reason: str) -> int:
        """Carry it out, and tell it to end after some steps."""
        statuses: list[int] = []
        thread = threading.Thread(target=lambda: statuses.append(self.run()))
        before = self.steps()
        thread.start()
        wait_for(lambda: len(self.steps()) >= 2 and self.steps() != before, 10, "the first steps")
        self.told.reason = reason
        thread.join()
        return statuses[0]

    def steps(self) -> list[str]:
        """Return the lines of the log."""
        path = self.folder / "log.jsonl"
        return path.read_text().splitlines() if path.exists() else []

    def events(self, name: str) -> list[Event]:
        """Return the events of a kind."""
        log = ClusterFolder(self.folder).events("0001-train-0000")
        return [event for event in read_events(log) if event.event == name]


def test_a_trainer_that_is_killed_goes_on_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the same job, with the weights of a training that was never killed."""
    monkeypatch.setenv("TURNWISE_TEST_CRASH", "8")
    job = OneJob(tmp_path)
    assert job.run() == 0
    assert weights(tmp_path, STEPS) == weights_after(STEPS)
    assert [event.status for event in job.events(CRASH)] == [-signal.SIGKILL]


def test_a_warned_job_saves_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its status asks the batch script to requeue it; the next attempt repeats no step. TERM alone asks for none."""
    monkeypatch.setenv("TURNWISE_TEST_DELAY", "0.2")
    job = OneJob(tmp_path)
    assert job.run_told("SIGUSR2") == WARNED
    assert 0 < len(job.steps()) < STEPS
    again = OneJob(tmp_path)
    assert again.run_told("SIGTERM") == STOPPED
    monkeypatch.setenv("TURNWISE_TEST_DELAY", "0")
    assert OneJob(tmp_path).run() == 0
    assert len(job.steps()) == STEPS and weights(tmp_path, STEPS) == weights_after(STEPS)
    assert not job.events(CRASH)


def test_a_trainer_that_saves_for_too_long_is_killed_before_slurm_ends_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the job still comes back, which a time limit that has passed does not allow.

    Not for ever: three times in a row without a new checkpoint, and it stays away, with a remedy.
    """
    monkeypatch.setenv("TURNWISE_TEST_DELAY", "0.1")
    monkeypatch.setenv("TURNWISE_TEST_SLOW_SAVE", "60")
    statuses = [OneJob(tmp_path, warn_seconds=2).run_told("SIGUSR2") for _ in range(3)]
    assert statuses == [WARNED, WARNED, GIVEN_UP]
    job = OneJob(tmp_path)
    assert all(
        "1 seconds were too few" in event.log[0] and "warn_seconds" in event.log[0] for event in job.events(CRASH)
    )
    monkeypatch.delenv("TURNWISE_TEST_DELAY")
    monkeypatch.delenv("TURNWISE_TEST_SLOW_SAVE")
    assert job.run() == 0
    assert weights(tmp_path, STEPS) == weights_after(STEPS)


@pytest.mark.parametrize("status", [2, 3])
def test_a_refusal_ends_the_job_with_its_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """At once, since it would be refused again."""
    monkeypatch.setenv("TURNWISE_TEST_REFUSAL", str(status))
    job = OneJob(tmp_path)
    assert job.run() == status
    (failed,) = job.events(FAILED)
    assert failed.log == ("turnwise: the model is not there: mend -a model=.",)


def test_a_trainer_that_always_crashes_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After three crashes in a row that brought no checkpoint, with its last lines."""
    monkeypatch.setenv("TURNWISE_TEST_REFUSAL", "1")
    job = OneJob(tmp_path)
    assert job.run() == 1
    assert [event.log[-1] for event in job.events(CRASH)] == ["turnwise: the model is not there: mend -a model=."] * 3


def test_what_a_rank_says_goes_before_what_accelerate_says(tmp_path: Path) -> None:
    """Which ends with 1 and pages of its own where a rank refuses, and knows nothing of one that was stopped."""
    job = OneJob(tmp_path)
    log = ClusterFolder(tmp_path).events("0001-train-0000")
    rank = '{"time": %f, "event": "rank", "status": 2, "log": ["turnwise: no."]}'
    fails = (
        f"import time; open({str(log)!r}, 'a').write({rank!r} % time.time() + chr(10)); print('='); raise SystemExit(1)"
    )
    job.command = [sys.executable, "-S", "-c", fails]
    assert job.run() == 2
    assert [event.log for event in job.events(FAILED)] == [("turnwise: no.",)]
    job.command = [sys.executable, "-S", "-c", fails.replace('"status": 2', '"status": 75').replace("(1)", "(0)")]
    assert job.run() == STOPPED
