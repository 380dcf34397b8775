"""The process of one job: it starts a worker, watches it, and tells the batch script what became of it.

A job of SLURM begins as a JobTask, on SLURM's own signals; with ``--cluster local`` the same supervisors are threads
of this process, step after step, and what their workers say goes to standard error, so that standard output holds the
tables alone.

The worker is a process of its own, so that what kills it (memory, an engine's fault) is seen here: its shards
are marked, and the next worker starts in the same job. The signals of SLURM are taken here and by the worker, which
saves what it has and ends: USR2 is a warning (time limit ahead, preemption), after which the job is to be requeued;
TERM is scancel or a preemption. Which of them, and so whether the job comes back, is for the batch script to find out
(cluster.py): it runs outside of any container. The exit status tells it what happened here.

submitit pickles a JobTask by name, so that the job imports it from the frozen code. Of submitit only the way into the
job is used: its result files and job states are never asked, since they say nothing after a power cut.
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
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NoReturn, TextIO

from turnwise.records.run_folder import Shard
from turnwise.slurm.claims import Claim, Claims, Ended, Heartbeat, ShardState
from turnwise.slurm.events import CLAIM, CRASH, FAILED, START, STOP, Event, EventLog, now, read_events
from turnwise.slurm.signals import SIGNALS, Told
from turnwise.slurm.submission import CLOSE, JUDGE, SAMPLE, ClusterFolder, Submission, worker_name

BAD_INPUT, INFRASTRUCTURE = 2, 3
# Told to end; warned, so that the job is to be requeued; warned too long after the submission for that.
STOPPED, WARNED, GIVEN_UP = 75, 76, 77
_POLL_SECONDS = 0.2
_GRACE_SECONDS = 60.0
_MOST_CRASHES = 12
_MOST_FAILURES = 3  # in a row, of workers that came to no shard
_KEPT_LINES = 20
_STAGGER_SECONDS, _MOST_STAGGER_SECONDS = 0.05, 60.0


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
            begun = time.time()
            status, lines = self._run_worker(heartbeat)
            if status == STOPPED or (self.told.reason and status != 0):
                return self.stop_status()
            if status == 0:
                return 0
            if status in (BAD_INPUT, INFRASTRUCTURE):  # it said why, and gave back what it had
                last = tuple(lines[-_KEPT_LINES:])
                events.write(Event(now(), FAILED, status=status, node=self.facts.node, log=last))
                has_claimed = False
            else:
                has_claimed = self._mark_crashed(events, begun, status, lines)
            failures = 0 if has_claimed else failures + 1
            if status == BAD_INPUT or failures == _MOST_FAILURES:
                return status if status > 0 else 1
        return 1

    def stop_status(self) -> int:
        """Return the exit status of a job that was told to end."""
        hours = (time.time() - self.submission.record.submitted) / 3600
        if hours > self.submission.record.profile.give_up_hours:
            return GIVEN_UP
        return WARNED if self.told.reason == signal.SIGUSR2.name else STOPPED

    def _run_worker(self, heartbeat: Heartbeat) -> tuple[int, list[str]]:
        """Run one worker to its end; return its exit status (negative: the signal) and its last lines."""
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
                killed_at = time.monotonic() + _GRACE_SECONDS
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGTERM)
            if killed_at and time.monotonic() > killed_at:
                process.kill()  # what it had is on the disk, but for the last seconds
        reader.join(timeout=5.0)
        return process.returncode, list(lines)

    def _mark_crashed(self, events: EventLog, begun: float, status: int, lines: Sequence[str]) -> bool:
        """Say of the attempts that were open when a worker crashed that they did; return whether there were any."""
        claims = Claims(self.submission.cluster.claims(self.step), self.worker)
        crashed = []
        for event in read_events(self.submission.cluster.events(self.worker)):
            if event.event != CLAIM or event.shard is None or event.time < begun:
                continue
            shard = Shard(event.task, event.shard, ())
            state = claims.states(shard.task).get(shard.number, ShardState())
            claim = Claim(shard, state.last)
            is_own = state.is_open and claims.owner(claim).get("worker") == self.worker
            if state.last == event.attempt and is_own:
                claims.end(claim, Ended.CRASHED)
                crashed.append((shard.task, shard.number))
        crash = Event(
            now(),
            CRASH,
            status=status,
            shards=tuple(crashed),
            node=self.facts.node,
            job=self.facts.job,
            log=tuple(lines[-_KEPT_LINES:]),
            command=shlex.join(self.command),
        )
        events.write(crash)
        return bool(crashed)


def _pass_on(stream: IO[bytes], lines: deque[str], log: TextIO) -> None:
    """Copy a worker's output to ``log``, keeping the last lines."""
    for line in stream:
        text = line.decode("utf-8", "replace")
        lines.append(text.rstrip("\n")[:2000])
        log.write(text)
        log.flush()


def worker_command(run: Path, submission: int, step: str, slot: int) -> list[str]:
    """Return the command that starts a worker, in the Python of this process, which imports nothing from its folder."""
    arguments = ["--submission", str(submission), "--step", step, "--slot", str(slot)]
    return [sys.executable, "-P", "-u", "-m", "turnwise", "worker", str(run), *arguments]


@dataclass(frozen=True)
class JobTask:
    """One job, or all elements of an array of them; ``first`` is the slot of element 0."""

    run: str
    submission: int
    step: str
    first: int = 0

    def __call__(self) -> None:
        """Do the job's work; ends the process with the exit status that SLURM is to see."""
        told = Told()
        told.listen()
        facts = JobFacts.of(os.environ)
        slot = self.first + int(os.environ.get("SLURM_ARRAY_TASK_ID", "0"))
        time.sleep(min(_MOST_STAGGER_SECONDS, slot * _STAGGER_SECONDS))  # a thousand starts are not one moment
        run = Path(self.run)
        submission = Submission(ClusterFolder(run), self.submission)
        os.chdir(submission.record.folder)
        os.environ.update(job_environment(os.environ))
        step, slot = (JUDGE, submission.record.workers) if self.step == CLOSE else (self.step, slot)
        command = worker_command(run, self.submission, step, slot)
        supervisor = Supervisor(submission, step, slot, facts, command, told)
        status = supervisor.run()
        if self.step == CLOSE and not told.reason:  # what no judge of the array came to is judged by now
            status = subprocess.call([sys.executable, "-P", "-u", "-m", "turnwise", "collect", str(run)])
            if told.reason and status < 0:
                status = supervisor.stop_status()
        sys.exit(status)

    def checkpoint(self, *_: object) -> NoReturn:
        """End the job as warned; submitit calls it if the warning comes before the supervisor listens."""
        sys.exit(WARNED)


def job_environment(environ: "os._Environ[str]") -> dict[str, str]:
    """Return what keeps jobs on one node apart: ports and caches of engines that have one place by default."""
    job = environ.get("SLURM_JOB_ID", "")
    if not job.isdigit():
        return {}
    local = Path(environ.get("TMPDIR", "/tmp")) / f"turnwise-{job}"
    given = {
        "VLLM_PORT": str(20000 + int(job) % 2000 * 20),
        "TORCHINDUCTOR_CACHE_DIR": str(local / "inductor"),
        "TRITON_CACHE_DIR": str(local / "triton"),
    }
    return {name: value for name, value in given.items() if name not in environ}


def run_locally(submission: Submission, told: Told, environ: dict[str, str]) -> list[int]:
    """Run the workers of both steps to their ends; return their exit statuses."""
    statuses = _run_pool(submission, SAMPLE, told, environ)
    if told.reason:
        return statuses
    return statuses + _run_pool(submission, JUDGE, told, environ)


def _run_pool(submission: Submission, step: str, told: Told, environ: dict[str, str]) -> list[int]:
    statuses: list[int] = []

    def run(slot: int) -> Callable[[], None]:
        def supervise() -> None:
            command = worker_command(submission.cluster.run, submission.number, step, slot)
            supervisor = Supervisor(submission, step, slot, JobFacts.of(environ), command, told, log=sys.stderr)
            statuses.append(supervisor.run())

        return supervise

    threads = [threading.Thread(target=run(slot)) for slot in range(submission.record.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(timeout=0.5)
    return statuses
