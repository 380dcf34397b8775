"""Handing a submission to SLURM through submitit: an array of samplers, one of judges paired with it, a closing job.

Arrays are slots for workers, not shards: a cluster that accepts fewer of them still does the whole run, later.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.slurm.job import JobTask
from turnwise.slurm.layout import CLOSE, JUDGE, SAMPLE
from turnwise.slurm.scripts import parameters, python_of, setup_lines
from turnwise.slurm.submission import Array, Jobs, Submission


class RefusedError(Exception):
    """SLURM does not take a job; says why."""


# Submits so many jobs of a task that wait for a dependency ("": for none); returns their id.
Submit = Callable[[Submission, JobTask, int, str], str]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What SLURM took: the jobs, and what was said of those it did not take."""

    jobs: Jobs
    refusals: tuple[str, ...]


def cut_arrays(workers: int, largest: int) -> Iterator[tuple[int, int]]:
    """Yield (first slot, count) of arrays of at most ``largest`` elements."""
    for first in range(0, workers, largest):
        yield first, min(largest, workers - first)


def submit_jobs(submission: Submission, submit: Submit, *, largest: int) -> Accepted:
    """Hand over all jobs of ``submission``, in arrays of ``largest`` elements; what was accepted is written down.

    Raises TurnwiseError if not even one worker is accepted.
    """
    jobs, refusals = Jobs(), []
    for first, count in cut_arrays(submission.record.workers, largest):
        array, said = _submit_array(submission, SAMPLE, first, count, "", submit)
        refusals += said
        if array is None:
            break
        jobs = replace(jobs, sample=[*jobs.sample, array])
        submission.write_jobs(jobs)
        judges, said = _submit_array(submission, JUDGE, first, array.count, f"aftercorr:{array.job}", submit)
        refusals += said
        if judges is not None:
            jobs = replace(jobs, judge=[*jobs.judge, judges])
            submission.write_jobs(jobs)
        if array.count < count:
            break
    if not jobs.sample:
        raise TurnwiseError(f"SLURM accepts no job of this run: {refusals[-1]}")
    try:
        run, number = str(submission.cluster.run), submission.number
        close = submit(submission, JobTask(run, number, CLOSE), 1, f"afterany:{':'.join(jobs.ids)}")
        jobs = replace(jobs, close=close)
    except RefusedError as error:
        refusals.append(f"no closing job ({error}): run turnwise collect {run} when the workers have ended")
    submission.write_jobs(jobs)
    return Accepted(jobs, tuple(refusals))


def _submit_array(
    submission: Submission,
    step: str,
    first: int,
    count: int,
    dependency: str,
    submit: Submit,
) -> tuple[Array | None, list[str]]:
    """Submit an array, halved until it is accepted; return it and what was refused."""
    refusals: list[str] = []
    task = JobTask(str(submission.cluster.run), submission.number, step, first)
    while count:
        try:
            return Array(submit(submission, task, count, dependency), first, count), refusals
        except RefusedError as error:
            refusals.append(f"{count} {step} workers were refused ({error})")
            count //= 2
    return None, refusals


def submit_to_slurm(submission: Submission, task: JobTask, count: int, dependency: str) -> str:
    """Submit ``count`` jobs of one step through submitit; return the job's id. Raises RefusedError."""
    import submitit
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    record = submission.record
    executor = submitit.SlurmExecutor(submission.path / "jobs" / task.step, python=python_of(record.profile))
    given: dict[str, Any] = parameters(
        record.profile, task.step, name=submission.cluster.run.name, dependency=dependency
    )
    executor.update_parameters(**given, setup=setup_lines(record.profile, submission.code()))
    try:
        found = executor.submit_array([task] * count)
    except (FailedJobError, FailedSubmissionError) as error:
        raise RefusedError(" ".join(str(error).split())[-300:]) from None
    return str(found[0].job_id).partition("_")[0]
