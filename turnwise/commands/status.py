"""``turnwise status`` and ``cancel``: a run on a cluster, seen and steered from its folder."""

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from turnwise.commands.job_lines import billed_line, error_lines, hours, jobs_document
from turnwise.commands.training_status import read_training_status, render_training, training_document
from turnwise.errors import TurnwiseError
from turnwise.records.run_folder import RunFolder
from turnwise.slurm.status import STATES, Status, jobs_left, read_status
from turnwise.slurm.submission import JUDGE, SAMPLE, ClusterFolder, Submission, latest_submission

WATCH_SECONDS = 60.0
_HELD = "JobHeldUser"


def status_command(run: Path) -> str:
    """Return how far the run is; raises TurnwiseError if it was never submitted."""
    submission = latest_submission(run)
    if submission.record.trains:
        return render_training(read_training_status(submission), run)
    return render_status(read_status(RunFolder(run)), run)


def status_document(run: Path) -> dict[str, object]:
    """Return the same as one JSON document."""
    submission = latest_submission(run)
    if submission.record.trains:
        return training_document(read_training_status(submission))
    status = read_status(RunFolder(run))
    done, total = status.dialogues
    return {
        "shards": {step: {state: counts.get(state, 0) for state in STATES} for step, counts in status.shards.items()},
        "dialogues": {"done": done, "of": total},
        "dialogues_per_hour": status.per_hour,
        "hours_left": status.hours_left,
        **jobs_document(status.jobs, status.bill, status.errors),
        "gpu_hours_wasted": sum(status.bill.wasted.values()),
        "left_out": list(status.poison),
        "bad_nodes": list(status.bad_nodes),
    }


def watch_status(run: Path, show: Callable[[str], None], *, seconds: float = WATCH_SECONDS) -> None:
    """Show the status now and then until no job is left, or the user has seen enough."""
    while True:
        submission = latest_submission(run)
        if submission.record.trains:
            training = read_training_status(submission)
            said, is_over = render_training(training, run), training.is_over
        else:
            status = read_status(RunFolder(run))
            said, is_over = render_status(status, run), _is_over(status)
        show(f"{time.strftime('%H:%M:%S')}\n{said}\n")
        if is_over:
            return
        time.sleep(seconds)


def _is_over(status: Status) -> bool:
    is_running = any(attempt.cause == "running" for attempt in status.attempts)
    return not is_running and (not status.shards_left if status.jobs is None else not status.jobs)


def render_status(status: Status, run: Path) -> str:
    """Return the status as text."""
    return "\n".join(
        [*_progress_lines(status), *_job_lines(status, run), *_bill_lines(status), *_error_lines(status, run)]
    )


def _progress_lines(status: Status) -> Iterator[str]:
    for step, name in ((SAMPLE, "Sampling"), (JUDGE, "Judging")):
        counts = status.shards[step]
        shown = ", ".join(f"{counts.get(state, 0)} {state}" for state in STATES)
        yield f"{name}: {shown} of {sum(counts.values())} shards."
    done, total = status.dialogues
    rate = f", {status.per_hour:.0f} an hour" if status.per_hour else ""
    left = status.hours_left
    ends = f", about {left:.1f} hours left" if left else ""
    yield f"Dialogues sampled: {done} of {total}{rate}{ends}."


def _job_lines(status: Status, run: Path) -> Iterator[str]:
    if status.jobs is None:
        yield "Jobs: SLURM does not answer here; what is said rests on the run's files."
    elif status.jobs:
        counts = Counter(
            f"{job.state} ({job.reason})" if job.reason not in ("", "None") else job.state for job in status.jobs
        )
        yield f"Jobs: {', '.join(f'{count} {state}' for state, count in counts.items())}."
        if any(job.reason == _HELD for job in status.jobs):
            yield (
                f"Held jobs wait for ever if their submission was broken off: turnwise cancel {run}, then turnwise "
                f"resume {run}."
            )
    else:
        yield "Jobs: none is left."
        is_running = any(attempt.cause == "running" for attempt in status.attempts)
        if status.shards_left and status.preempted:
            yield f"SLURM ended {status.preempted} of them by a preemption that requeues none (PreemptMode=CANCEL)."
        if status.shards_left and not is_running:
            yield f"{status.shards_left} shards are not done, and no job comes back: turnwise resume {run} goes on."


def _bill_lines(status: Status) -> Iterator[str]:
    yield billed_line(status.bill)
    yield f"GPU-hours wasted by loading again: {hours(status.bill.wasted)}."


def _error_lines(status: Status, run: Path) -> Iterator[str]:
    for line in status.poison:
        yield f"Left out: {line}."
    yield from error_lines(status.errors)
    if status.bad_nodes:
        nodes = ",".join(status.bad_nodes)
        yield f"Workers crashed over three shards on {nodes}: turnwise resume {run} --exclude {nodes}"


def cancel_command(run: Path) -> str:
    """Cancel the jobs of a run that are still there; what was sampled stays, and resume goes on."""
    latest_submission(run)
    cluster = ClusterFolder(run)
    waiting = jobs_left([Submission(cluster, number) for number in cluster.submissions()])
    if waiting is None:
        raise TurnwiseError("SLURM does not answer here (squeue): cancel on a node that reaches it.")
    jobs = sorted({job.job for job in waiting})
    if not jobs:
        return "No job of this run is left."
    done = subprocess.run(["scancel", *jobs], capture_output=True, check=False)
    if done.returncode:
        raise TurnwiseError(f"scancel failed: {done.stderr.decode('utf-8', 'replace').strip()}")
    return f"Cancelled: {', '.join(jobs)}; turnwise resume {run} goes on."
