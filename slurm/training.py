"""The supervisor of a training: one job, whose trainer goes on from its latest whole checkpoint whenever it is started.

With several GPUs the trainer is as many processes (ranks), which ``accelerate launch`` starts on this node; what
``accelerate config`` has been told, such as FSDP, decides how they share the model. It tells nobody how they ended, so
that each rank says it in the log of events, and those that were told to end leave with 0 there: else it would kill the
others, which may still save.

A trainer that was told to end has until shortly before SLURM ends the job: killed then, while it saves, the job still
comes back, and goes on from the checkpoint before. Where that was in vain three times in a row, it stays away.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from turnwise.records.training import checkpoints_in
from turnwise.slurm.claims import Heartbeat
from turnwise.slurm.events import CRASH, RANK, Event, EventLog, now, read_events
from turnwise.slurm.signals import Told
from turnwise.slurm.submission import RFT, RLEF, TRAIN, Submission
from turnwise.slurm.supervisor import (
    BAD_INPUT,
    GIVEN_UP,
    INFRASTRUCTURE,
    MOST_FAILURES,
    STOPPED,
    JobFacts,
    Supervisor,
    worker_command,
)

# Before SLURM's time limit: for the batch script to have the job requeued.
_MARGIN_SECONDS = 30.0
# Nothing else ends the trainer on one machine.
_LOCAL_GRACE_SECONDS = 600.0
# By method: what a trainer ends before it leaves, and what loses less where the time is too short for that.
_STEPS = {
    RFT: ("step", "save more often (--save-steps)"),
    RLEF: ("iteration", "make iterations shorter (--rollouts), or save more often (--save-iterations)"),
}


@dataclass(slots=True)
class TrainingSupervisor(Supervisor):
    """Runs the trainer of a submission; a crash that brought no new checkpoint is a failure."""

    _checkpoint: int = field(init=False, default=0)

    @classmethod
    def of(
        cls, submission: Submission, facts: JobFacts, told: Told, *, log: TextIO | None = None
    ) -> "TrainingSupervisor":
        """Return the supervisor of the one job of ``submission``, whose trainer is heard in ``log``."""
        command = training_command(submission.cluster.run, submission.number, submission.record.profile.gpus)
        return cls(submission, TRAIN, 0, facts, command, told, log=log or sys.stdout)

    def __post_init__(self) -> None:
        """Look at which checkpoint this job begins."""
        self._checkpoint = self._latest()

    @property
    def final_statuses(self) -> tuple[int, ...]:
        """What the trainer refuses it would refuse again."""
        return (BAD_INPUT, INFRASTRUCTURE)

    @property
    def grace_seconds(self) -> float:
        """How long the trainer may take for the step at hand and for saving."""
        warned = float(self.submission.record.profile.warn_seconds)
        return warned - min(_MARGIN_SECONDS, warned / 2) if self.facts.job else _LOCAL_GRACE_SECONDS

    def run_worker(self, heartbeat: Heartbeat) -> tuple[int, list[str]]:
        """Run the trainer to its end; one that was told to end and did not in time is named."""
        status, lines = Supervisor.run_worker(self, heartbeat)
        if self.told.reason and status not in (0, STOPPED):
            step, remedy = _STEPS[self.submission.record.method]
            said = (
                f"Killed, since {self.grace_seconds:.0f} seconds were too few for the {step} at hand and its "
                f"checkpoint: raise warn_seconds in the profile, or {remedy}."
            )
            with closing(EventLog(self.submission.cluster.events(self.worker))) as events:
                killed = Event(
                    now(), CRASH, status=status, node=self.facts.node, attempt=self._latest(), told=self.told.reason
                )
                events.write(replace(killed, log=(said,)))
        return status, lines

    def stop_status(self) -> int:
        """Return the exit status of a job that was told to end."""
        past = read_events(self.submission.cluster.events(self.worker))
        in_vain = [event for event in past if event.event == CRASH and event.told and event.attempt == self._latest()]
        return GIVEN_UP if len(in_vain) >= MOST_FAILURES else Supervisor.stop_status(self)

    def tell(self, process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
        """Send a signal to the trainer and its ranks, which accelerate would not pass on."""
        for pid in (*_descendants(process.pid), process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def status_of(self, returned: int) -> int:
        """Return the exit status of a trainer: that of a rank which was stopped or refused goes before accelerate's."""
        ranks = {rank.status for rank in self._ranks()}
        said = (STOPPED,) if returned == 0 else (BAD_INPUT, INFRASTRUCTURE)
        return next((status for status in said if status in ranks), returned)

    def last_words(self, lines: Sequence[str]) -> tuple[str, ...]:
        """Return what the trainer said last; after ranks accelerate prints pages of its own."""
        ranks = dict.fromkeys(line for rank in self._ranks() if rank.status != STOPPED for line in rank.log)
        return tuple(ranks) or Supervisor.last_words(self, lines)

    def _ranks(self) -> list[Event]:
        """Return what the ranks of the latest trainer said at their ends."""
        events = read_events(self.submission.cluster.events(self.worker))
        return [event for event in events if event.event == RANK and event.time >= self.begun]

    def mark_crashed(self, events: EventLog, status: int, lines: Sequence[str]) -> bool:
        """Say that the trainer crashed; return whether it had come to a new checkpoint."""
        self.write_crash(events, status, lines)
        before, self._checkpoint = self._checkpoint, self._latest()
        return self._checkpoint > before

    def _latest(self) -> int:
        return max(checkpoints_in(self.submission.cluster.run), default=0)


def training_command(run: Path, submission: int, processes: int) -> list[str]:
    """Return the command that starts the trainer of a submission, as so many processes."""
    command = worker_command(run, submission, TRAIN, 0)
    if processes < 2:
        return command
    accelerate = ["--num_processes", str(processes), "--num_machines", "1", "--main_process_port", "0"]
    start = [sys.executable, "-P", "-u", "-m", "accelerate.commands.launch", *accelerate]
    # Its ranks are no children that -P reaches.
    return ["env", "PYTHONSAFEPATH=1", *start, *command[command.index("-m") :]]


def _descendants(root: int) -> list[int]:
    """Return the processes below ``root``."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            children.setdefault(int(path.read_text(errors="replace").rpartition(")")[2].split()[1]), []).append(
                int(path.parent.name)
            )
    below, front = [], [root]
    while front:
        front = [child for pid in front for child in children.get(pid, [])]
        below += front
    return below
