"""Handing a submission to SLURM through submitit: an array of samplers, one of judges paired with it, a closing job.

Arrays are slots for workers, not shards: a cluster that accepts fewer of them still does the whole run, later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from turnwise.errors import TurnwiseError
from turnwise.slurm.job import JobTask
from turnwise.slurm.layout import CLOSE, JUDGE, SAMPLE
from turnwise.slurm.queue import ask
from turnwise.slurm.scripts import parameters, python_of
from turnwise.slurm.submission import Array, Jobs, Submission


class RefusedError(Exception):
    """SLURM does not take a job; says why."""


class Scheduler(Protocol):
    """What takes jobs: SLURM, or what stands for it in a test."""

    def submit(self, submission: Submission, task: JobTask, count: int, dependency: str) -> str:
        """Submit so many jobs of a task that wait for a dependency ("": for none); return their id.

        Sampling is held. Raises RefusedError.
        """
        ...

    def cancel(self, jobs: Sequence[str]) -> None:
        """Take jobs back that have not begun."""
        ...

    def release(self, jobs: Sequence[str]) -> bool:
        """Let held jobs begin; return whether that worked."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """What SLURM took: the jobs, and what was said of those it did not take."""

    jobs: Jobs
    refusals: tuple[str, ...]


def cut_arrays(workers: int, largest: int) -> Iterator[tuple[int, int]]:
    """Yield (first slot, count) of arrays of at most ``largest`` elements."""
    for first in range(0, workers, largest):
        yield first, min(largest, workers - first)


def submit_jobs(submission: Submission, scheduler: Scheduler, *, largest: int) -> Accepted:
    """Hand over all jobs of ``submission``, in arrays of ``largest`` elements; what was accepted is written down.

    Sampling is held until the rest is accepted: samplers that take the places of their judges would make a run that
    nobody judges. An interrupt takes back what was accepted. Raises TurnwiseError if not even one worker is.
    """
    submitting = _Submitting(submission, scheduler)
    try:
        for first, count in cut_arrays(submission.record.workers, largest):
            if submitting.add_pair(first, count) < count:
                break
        submitting.add_close()
    except BaseException:
        submitting.take_back(Jobs())
        raise
    held = [one.job for one in submitting.jobs.sample]
    if not scheduler.release(held):
        submitting.refusals.append(f"the sampling jobs are held: scontrol release {','.join(held)}")
    return Accepted(submitting.jobs, tuple(submitting.refusals))


class _Submitting:
    """The jobs of a submission that are accepted so far, always written down, and what was refused."""

    def __init__(self, submission: Submission, scheduler: Scheduler) -> None:
        self._submission = submission
        self._scheduler = scheduler
        self._run = str(submission.cluster.run)
        self.jobs = Jobs()
        self.refusals: list[str] = []

    def add_pair(self, first: int, wanted: int) -> int:
        """Add samplers and as many judges that wait for them, fewer until they are accepted; return how many."""
        count, refusal = wanted, ""
        while count:
            before = self.jobs
            try:
                sample = self._submit(SAMPLE, first, count, "")
                self._keep(replace(before, sample=(*before.sample, sample)))
                judge = self._submit(JUDGE, first, count, f"aftercorr:{sample.job}")
                self._keep(replace(self.jobs, judge=(*before.judge, judge)))
                break
            except RefusedError as error:
                self.take_back(before)
                refusal = str(error)
                count = count * 3 // 4
        if refusal:
            self.refusals.append(f"{wanted} workers are more than SLURM accepts ({refusal}): {count} of them work")
        return count

    def add_close(self) -> None:
        """Add the closing job, for which a worker may have to make room."""
        while self.jobs.sample:
            try:
                close = self._submit(CLOSE, 0, 1, f"afterany:{':'.join(self.jobs.ids)}")
                self._keep(replace(self.jobs, close=close.job))
                return
            except RefusedError as error:
                last = self.jobs.sample[-1]
                if len(self.jobs.sample) == last.count == 1:
                    self.refusals.append(
                        f"no closing job ({error}): run turnwise collect {self._run} when the workers have ended"
                    )
                    return
                self.take_back(replace(self.jobs, sample=self.jobs.sample[:-1], judge=self.jobs.judge[:-1]))
                self.refusals.append(f"one worker makes room for the closing job ({error})")
                self.add_pair(last.first, last.count - 1)
        raise TurnwiseError(f"SLURM accepts no job of this run: {self.refusals[-1]}.")

    def _submit(self, step: str, first: int, count: int, dependency: str) -> Array:
        task = JobTask(self._run, self._submission.number, step, first)
        return Array(self._scheduler.submit(self._submission, task, count, dependency), first, count)

    def take_back(self, kept: Jobs) -> None:
        """Cancel what was accepted besides ``kept``."""
        gone = [job for job in self.jobs.ids if job not in kept.ids]
        if gone:
            self._scheduler.cancel(gone)
            self._keep(kept)

    def _keep(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self._submission.write_jobs(jobs)


class Slurm:
    """SLURM, asked through submitit."""

    def submit(self, submission: Submission, task: JobTask, count: int, dependency: str) -> str:
        """Submit ``count`` jobs of one step; return the job's id. Raises RefusedError."""
        import submitit
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        record = submission.record
        executor = submitit.SlurmExecutor(submission.path / "jobs" / task.step, python=python_of(record.profile))
        given = parameters(
            record.profile, task.step, cluster=submission.cluster, code=submission.code(), dependency=dependency
        )
        executor.update_parameters(**given)
        try:
            found = executor.submit_array([task] * count)
        except (FailedJobError, FailedSubmissionError) as error:
            raise RefusedError(" ".join(str(error).split())[-300:]) from None
        return str(found[0].job_id).partition("_")[0]

    def cancel(self, jobs: Sequence[str]) -> None:
        """Take pending jobs back; one that stays can do no harm but to wait."""
        ask("scancel", *jobs)

    def release(self, jobs: Sequence[str]) -> bool:
        """Let held jobs begin."""
        return ask("scontrol", "release", ",".join(jobs)) is not None
