"""What ``turnwise status`` says of a training on a cluster: its steps, its checkpoints, and what became of its job."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from turnwise.commands.job_lines import billed_line, error_lines, jobs_document
from turnwise.slurm.events import CRASH, FAILED
from turnwise.slurm.status import LOST, REQUEUED, Attempt, JobsStatus, read_jobs
from turnwise.slurm.submission import RFT, RLEF, Submission
from turnwise.training.fine_tuning.progress import FineTuningProgress, read_progress
from turnwise.training.rlef.progress import RlefProgress, read_rlef_progress
from turnwise.training.training_folder import Progress

UNITS = {RFT: "step", RLEF: "iteration"}  # what a training counts, by its method


@dataclass(frozen=True, slots=True)
class TrainingStatus:
    """A training at one moment: how far it is, and what became of the jobs of its submissions.

    ``unit`` is what it counts. ``state`` is that of its latest job, in a word or two; ``requeued`` is how often that
    has come back.
    """

    unit: str
    state: str
    job: str
    node: str
    requeued: int
    progress: FineTuningProgress | RlefProgress
    work: JobsStatus

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of what was submitted."""
        return self.state not in (_RUNNING, _QUEUED, _UNKNOWN)


_RUNNING, _QUEUED, _DONE, _FAILED, _UNKNOWN = "running", "queued", "done", "failed", "unknown"


def read_training_status(submission: Submission) -> TrainingStatus:
    """Return the status of the training whose latest submission this is."""
    work = read_jobs(submission.cluster)
    method = submission.record.method
    progress = read_training_progress(method, submission.cluster.run, submission.record.steps)
    own = [one for one in work.attempts if one.worker.startswith(f"{submission.number:04d}-")]
    latest = own[-1] if own else None
    state = _state(progress, work, latest, is_slurm=bool(submission.jobs.train))
    comes_back = state == _QUEUED and latest is not None
    return TrainingStatus(
        UNITS[method],
        state,
        submission.jobs.train,
        latest.node if latest and state != _QUEUED else "",
        max(0, len(own) - 1) + comes_back,
        progress,
        work,
    )


def read_training_progress(method: str, folder: Path, steps: int) -> FineTuningProgress | RlefProgress:
    """Return how far the training of so many steps, or iterations, in ``folder`` is."""
    return read_rlef_progress(folder, steps) if method == RLEF else read_progress(folder, steps)


def _state(progress: Progress, work: JobsStatus, latest: Attempt | None, *, is_slurm: bool) -> str:
    """Return what the job does: SLURM knows best, then its own log."""
    if work.jobs:
        return _RUNNING if any(job.state == "RUNNING" for job in work.jobs) else _QUEUED
    if latest is not None and latest.cause == "running":
        return _RUNNING
    if progress.is_done:
        return _DONE
    cause = latest.cause if latest is not None else ""
    if work.jobs is None and is_slurm and cause in ("", REQUEUED, LOST):
        return _UNKNOWN
    if cause in ("", REQUEUED):
        return "gone before it began"
    if work.preempted and cause == LOST:
        return "ended by a preemption that requeues none (PreemptMode=CANCEL)"
    return _FAILED if cause in (CRASH, FAILED) else cause


def render_training(status: TrainingStatus, run: Path) -> str:
    """Return the status as text."""
    work = status.work
    return "\n".join(
        [
            *_progress_lines(status),
            *_job_lines(status, run),
            billed_line(work.bill),
            *error_lines(work.errors),
        ]
    )


def training_document(status: TrainingStatus) -> dict[str, object]:
    """Return the status as one JSON document."""
    progress, work = status.progress, status.work
    return {
        status.unit: progress.step,
        f"{status.unit}s": progress.steps,
        **_measured(progress),
        "hours_left": progress.hours_left,
        "checkpoints": list(progress.checkpoints),
        "state": status.state,
        "job": status.job,
        "node": status.node,
        "requeued": status.requeued,
        **jobs_document(work.jobs, work.bill, work.errors),
    }


def _measured(progress: FineTuningProgress | RlefProgress) -> dict[str, float | None]:
    """Return what a method measures, besides how far it is."""
    if isinstance(progress, RlefProgress):
        return {"solved": progress.solved, "seconds_per_iteration": progress.seconds_per_step}
    return {"loss": progress.loss, "tokens_per_second": progress.tokens_per_second}


def _progress_lines(status: TrainingStatus) -> Iterator[str]:
    progress, unit = status.progress, status.unit
    if isinstance(progress, RlefProgress):
        measured = f", {progress.solved:.1%} of dialogues solved" if progress.solved is not None else ""
        rate = f", {progress.seconds_per_step:,.1f} s an iteration" if progress.seconds_per_step else ""
    else:
        measured = f", loss {progress.loss:.4g}" if progress.loss is not None else ""
        rate = f", {progress.tokens_per_second:,.0f} tokens/s" if progress.tokens_per_second else ""
    left = progress.hours_left
    ends = f", about {left:.1f} hours left" if left else ""
    yield f"Training: {unit} {progress.step} of {progress.steps}{measured}{rate}{ends}."
    names = ", ".join(map(str, progress.checkpoints))
    yield f"Checkpoints: {f'of {unit} {names}' if names else 'none yet'}."


def _job_lines(status: TrainingStatus, run: Path) -> Iterator[str]:
    work = status.work
    if work.jobs is None:
        yield "SLURM does not answer here; what is said of the job rests on its files."
    name = f"Job {status.job}" if status.job else "The training on this machine"
    where = f" on {status.node}" if status.node and status.state == _RUNNING else ""
    reasons = {job.reason for job in work.jobs or () if job.state != "RUNNING"} - {"", "None"}
    waits = f" ({', '.join(sorted(reasons))})" if status.state == _QUEUED and reasons else ""
    again = f", requeued {status.requeued} time(s)" if status.requeued else ""
    last = work.errors[-1].log[-1:] if status.state == _FAILED and work.errors else ()
    yield f"{name}: {status.state}{waits}{where}{again}{''.join(f': {line}' for line in last)}"
    if status.is_over and not status.progress.is_done:
        saved = max(status.progress.checkpoints, default=0)
        yield f"No job comes back: turnwise resume {run} goes on from {status.unit} {saved}."
