"""The process of one job: it starts a worker, watches it, and tells the batch script what became of it.

The worker is a process of its own, so that what kills it (memory, an engine's fault) is seen here: its shards
are marked, and the next worker starts in the same job. The signals of SLURM are taken here and by the worker, which
saves what it has and ends: USR2 is a warning (time limit ahead, preemption), after which the job is to be requeued;
TERM is scancel or a preemption. Which of them, and so whether the job comes back, is for the batch script to find out
(cluster.py): it runs outside of any container. The exit status tells it what happened here.
"""

import os
import platform
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TextIO

from turnwise.records.run_folder import Shard
from turnwise.slurm.claims import Claim, Claims, Ended, Heartbeat, ShardState
from turnwise.slurm.events import CLAIM, CRASH, FAILED, START, STOP, Event, EventLog, now, read_events
from turnwise.slurm.signals import SIGNALS, Told
from turnwise.slurm.submission import Submission, worker_name

BAD_INPUT, INFRASTRUCTURE = 2, 3
# Told to end; warned, so that the job is to be requeued; warned too long after the submission for that.
STOPPED, WARNED, GIVEN_UP = 75, 76, 77
_POLL_SECONDS = 0.2
_GRACE_SECONDS = 60.0
_MOST_CRASHES = 12
MOST_FAILURES = 3  # in a row, of workers that came to nothing
_KEPT_LINES = 20


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What SLURM's environment says of this job; empty values on one machine."""

    job: str
    node: str
    restarts: int
    gpus: int

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "JobFacts":
        """Return the facts that ``environ`` tells."""
        array, element = environ.get("SLURM_ARRAY_JOB_ID", ""), environ.get("SLURM_ARRAY_TASK_ID", "")
        job = f"{array}_{element}" if array else environ.get("SLURM_JOB_ID", "")
        gpus = environ.get("SLURM_GPUS_ON_NODE", "") or "0"
        node = environ.get("SLURMD_NODENAME", "") or platform.node()
        restarts = environ.get("SLURM_RESTART_COUNT", "") or "0"
        return cls(job, node, int(restarts), int(gpus) if gpus.isdigit() else 0)


@dataclass(slots=True)
class Supervisor:
    """Runs the worker of one slot of a submission's step; ``command`` is what starts it, ``log`` takes what it says."""

    submission: Submission
    step: str
    slot: int
    facts: JobFacts
    command: Sequence[str]
    told: Told
    log: TextIO = field(default_factory=lambda: sys.stdout)
    begun: float = field(init=False, default=0.0)  # when the latest worker was started

    @property
    def worker(self) -> str:
        """The worker's name."""
        return worker_name(self.submission.number, self.step, self.slot)

    def run(self) -> int:
        """Start workers until there is nothing left for them, or this job has to end; return its exit status."""
        cluster = self.submission.cluster
        events = EventLog(cluster.events(self.worker))
        heartbeat = Heartbeat(cluster.heartbeat(self.worker))
        with closing(events):
            heartbeat.beat(now=True)
            start = Event(
                now(),
                START,
                worker=self.worker,
                step=self.step,
                job=self.facts.job,
                node=self.facts.node,
                restarts=self.facts.restarts,
                gpus=self.facts.gpus,
                pid=os.getpid(),
            )
            events.write(start)
            status = self._supervise(events, heartbeat)
            events.write(Event(now(), STOP, status=status, told=self.told.reason))
            heartbeat.end()
            return status

    def _supervise(self, events: EventLog, heartbeat: Heartbeat) -> int:
        failures = 0
        for _ in range(_MOST_CRASHES):
            status, lines = self.run_worker(heartbeat)
            if status == STOPPED or (self.told.reason and status != 0):
                return self.stop_status()
            if status == 0:
                return 0
            if status in (BAD_INPUT, INFRASTRUCTURE):  # it said why, and gave back what it had
                events.write(Event(now(), FAILED, status=status, node=self.facts.node, log=self.last_words(lines)))
                came_to_something = False
            else:
                came_to_something = self.mark_crashed(events, status, lines)
            failures = 0 if came_to_something else failures + 1
            if status in self.final_statuses or failures == MOST_FAILURES:
                return status if status > 0 else 1
        return 1

    def last_words(self, lines: Sequence[str]) -> tuple[str, ...]:
        """Return what a worker that printed ``lines`` said last."""
        return tuple(lines[-_KEPT_LINES:])

    @property
    def final_statuses(self) -> tuple[int, ...]:
        """The exit statuses after which no further worker would come to more."""
        return (BAD_INPUT,)

    @property
    def grace_seconds(self) -> float:
        """How long a worker that is told to end may take."""
        return _GRACE_SECONDS

    def tell(self, process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
        """Send a signal to the worker."""
        with suppress(ProcessLookupError):
            process.send_signal(number)

    def status_of(self, returned: int) -> int:
        """Return the exit status of a worker whose process ``returned`` this (negative: the signal)."""
        return returned

    def stop_status(self) -> int:
        """Return the exit status of a job that was told to end."""
        hours = (time.time() - self.submission.record.submitted) / 3600
        if hours > self.submission.record.profile.give_up_hours:
            return GIVEN_UP
        return WARNED if self.told.reason == signal.SIGUSR2.name else STOPPED

    def run_worker(self, heartbeat: Heartbeat) -> tuple[int, list[str]]:
        """Run one worker to its end; return its exit status (negative: the signal) and its last lines."""
        self.begun = time.time()
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            # In a session of its own: what a terminal sends is ours to pass on.
            process = subprocess.Popen(
                self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        lines: deque[str] = deque(maxlen=200)
        assert process.stdout is not None  # noqa: S101 - for the type checker: it was asked for above
        reader = threading.Thread(target=_pass_on, args=(process.stdout, lines, self.log), daemon=True)
        reader.start()
        killed_at = 0.0
        while process.poll() is None:
            time.sleep(_POLL_SECONDS)
            heartbeat.beat()
            if self.told.reason and not killed_at:
                killed_at = time.monotonic() + self.grace_seconds
                self.tell(process, signal.SIGTERM)
            if killed_at and time.monotonic() > killed_at:
                self.tell(process, signal.SIGKILL)  # what it had is on the disk, but for the last seconds
        reader.join(timeout=5.0)
        return self.status_of(process.returncode), list(lines)

    def mark_crashed(self, events: EventLog, status: int, lines: Sequence[str]) -> bool:
        """Say of the attempts that were open when a worker crashed that they did; return whether there were any."""
        claims = Claims(self.submission.cluster.claims(self.step), self.worker)
        crashed = []
        for event in read_events(self.submission.cluster.events(self.worker)):
            if event.event != CLAIM or event.shard is None or event.time < self.begun:
                continue
            shard = Shard(event.task, event.shard, ())
            state = claims.states(shard.task).get(shard.number, ShardState())
            claim = Claim(shard, state.last)
            is_own = state.is_open and claims.owner(claim).get("worker") == self.worker
            if state.last == event.attempt and is_own:
                claims.end(claim, Ended.CRASHED)
                crashed.append((shard.task, shard.number))
        self.write_crash(events, status, lines, shards=tuple(crashed))
        return bool(crashed)

    def write_crash(
        self, events: EventLog, status: int, lines: Sequence[str], *, shards: tuple[tuple[str, int], ...] = ()
    ) -> None:
        """Say that the worker crashed over ``shards``, and its last lines."""
        crash = Event(
            now(),
            CRASH,
            status=status,
            shards=shards,
            node=self.facts.node,
            job=self.facts.job,
            log=self.last_words(lines),
            command=shlex.join(self.command),
        )
        events.write(crash)


def _pass_on(stream: IO[bytes], lines: deque[str], log: TextIO) -> None:
    """Copy a worker's output to ``log``, keeping the last lines."""
    with stream:
        for line in stream:
            text = line.decode("utf-8", "replace")
            lines.append(text.rstrip("\n")[:2000])
            log.write(text)
            log.flush()


def worker_command(run: Path, submission: int, step: str, slot: int) -> list[str]:
    """Return the command that starts a worker, in the Python of this process, which imports nothing from its folder."""
    arguments = ["--submission", str(submission), "--step", step, "--slot", str(slot)]
    return [sys.executable, "-P", "-u", "-m", "turnwise", "worker", str(run), *arguments]
