"""What submitting has in common, of a run or of a training: by one process at a time, never beside jobs of its own."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.locks import Lock
from turnwise.slurm.freeze import freeze_inputs
from turnwise.slurm.queue import ClusterLimits
from turnwise.slurm.status import jobs_left
from turnwise.slurm.submission import ClusterFolder, Submission
from turnwise.texts import shown


class StoppedError(TurnwiseError):
    """The user ended a pool on this machine."""

    exit_status = 130


def enter_folder(submission: Submission) -> None:
    """Go to where the run was submitted from, so that its relative paths mean the same."""
    try:
        os.chdir(submission.record.folder)
    except (OSError, ValueError):  # a NUL or half a character
        folder = shown(submission.record.folder, limit=1000)
        raise TurnwiseError(
            f"The run was submitted from {folder}, which is not there: make it, or submit anew."
        ) from None


def check_limits(found: ClusterLimits) -> None:
    """Raise TurnwiseError where SLURM does not answer, or would refuse the jobs."""
    if not found.answers:
        raise TurnwiseError(
            "SLURM does not answer here (scontrol show config): submit on a node that reaches it, or give "
            "--cluster local."
        )
    if found.problems:
        raise TurnwiseError(f"SLURM would refuse this run: {'; '.join(found.problems)}.")


@contextmanager
def one_at_a_time(cluster: ClusterFolder) -> Iterator[None]:
    """Let one process at a time submit the run, or carry it out by a pool."""
    cluster.path.mkdir(parents=True, exist_ok=True)
    try:
        lock = Lock(cluster.lock)
    except BlockingIOError:
        raise TurnwiseError(
            f"Another process is submitting {str(cluster.run)!r} or works on it: wait until it has ended, or see "
            "turnwise status."
        ) from None
    try:
        yield
    finally:
        lock.release()


def refuse_if_queued(cluster: ClusterFolder, *, force: bool) -> None:
    """Raise TurnwiseError if jobs of an earlier submission are still there, or SLURM does not say so."""
    for number in () if force else cluster.submissions():
        waiting = jobs_left([Submission(cluster, number)])
        if waiting is None:
            raise TurnwiseError(
                f"SLURM does not say whether jobs of {str(cluster.run)!r} are still there (squeue): try again where it "
                f"answers, or give --force if none is (submission {number})."
            )
        if waiting:
            raise TurnwiseError(
                f"{len(waiting)} jobs of {str(cluster.run)!r} are still there (submission {number}): see turnwise "
                f"status, or turnwise cancel, or give --force."
            )


def copy_inputs(cluster: ClusterFolder, paths: Mapping[str, Path]) -> dict[str, str]:
    """Freeze what the options name, by name; raises TurnwiseError for what cannot be read."""
    try:
        return freeze_inputs(cluster.inputs, paths)
    except OSError as error:
        raise TurnwiseError(
            f"What the options name cannot be copied to {str(cluster.inputs)!r} ({error}): make it "
            "readable, or make room."
        ) from None
