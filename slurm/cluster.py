"""Handing a submission to SLURM through submitit: an array of samplers, one of judges paired with it, a closing job.

Arrays are slots for workers, not shards: a cluster that accepts fewer of them still does the whole run, later. A
training is one job, which comes back until it is done. The batch scripts are submitit's own; a dry run shows the same
text that sbatch gets.
"""

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from turnwise.errors import TurnwiseError
from turnwise.slurm.jobs import JobTask
from turnwise.slurm.profile import ClusterProfile, CpuJobs
from turnwise.slurm.queue import ask
from turnwise.slurm.submission import CLOSE, JUDGE, SAMPLE, TRAIN, Array, ClusterFolder, Jobs, Submission
from turnwise.slurm.supervisor import GIVEN_UP, WARNED

# What a worker's exit status asks for is decided by the batch script: only there are SLURM's commands at hand, since a
# worker may run in a container. TERM comes from scancel, and from a preemption that gives a grace time; what scontrol
# says tells them apart. "incomplete" refuses a job that scancel ended meanwhile; whether SLURM has requeued the job,
# of itself or as it was asked to, is told by its count of restarts alone. A job that ends before SLURM ends it to
# requeue it would count as failed. SLURM's TERM reaches whatever program runs here, so that none is relied on but for
# scontrol, which is asked again; it may end that before this shell hears of it, which then has the seconds of KillWait
# to find out, so that no pause is long. Nothing here relies on, or breaks under, set -eu of the profile's lines.
_BEFORE = """\
told_to_end=
trap 'told_to_end=yes' TERM"""
_AFTER = r"""status=$?
set +eu
pause() {{ for second in {{1..5}}; do [[ $told_to_end ]] || sleep 1; done; }}
if ((status != 0 && status != {given_up})); then
    job=${{SLURM_ARRAY_JOB_ID:+${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}}}
    job=${{job:-$SLURM_JOB_ID}} restarts=${{SLURM_RESTART_COUNT:-0}} became=unanswered
    for try in 1 2 3 4 5; do
        facts=$(scontrol show job --oneliner "$job") || {{ pause; continue; }}
        [[ $facts =~ \ Restarts=([0-9]+) ]] && ((BASH_REMATCH[1] > restarts)) && {{ became=requeued; break; }}
        if [[ $facts =~ \ JobState=(RUNNING|SUSPENDED|STOPPED)\  ]]; then
            ((status == {warned})) || [[ $facts =~ \ PreemptTime=[0-9] ]] || {{ became=; break; }}
            became=refused
            scontrol requeue incomplete "$job" || pause
        else
            became=cancelled
            break
        fi
    done
    [[ $became ]] && echo "$restarts $became" >> {ends}/"$job"
    if [[ $became == requeued ]]; then
        for try in {{1..90}}; do [[ $told_to_end ]] || sleep 1; done
    fi
fi
exit $status"""
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}


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


def submit_training(submission: Submission, scheduler: Scheduler) -> str:
    """Hand over the one job of a training, and write it down; return its id. Raises TurnwiseError if it is refused."""
    task = JobTask(str(submission.cluster.run), submission.number, TRAIN)
    try:
        job = scheduler.submit(submission, task, 1, "")
    except RefusedError as error:
        raise TurnwiseError(f"SLURM does not accept the job: {error}.") from None
    submission.write_jobs(Jobs(train=job))
    return job


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


def parameters(
    profile: ClusterProfile, step: str, *, cluster: ClusterFolder, code: Path, dependency: str = ""
) -> dict[str, Any]:
    """Return what submitit is told of the jobs of one step."""
    if step in (SAMPLE, TRAIN):
        given = _of_gpu_jobs(profile)
    else:
        given = _of_cpu_jobs(profile, profile.judge if step == JUDGE else profile.close)
    extra = {"requeue": True, "kill-on-invalid-dep": "yes", **given.pop("extra")}
    if step == SAMPLE:
        extra["hold"] = True  # until judging and closing are accepted, too
    return {
        "job_name": f"turnwise-{step}-{cluster.run.name}",
        **{key: value for key, value in given.items() if value not in ("", None)},
        "account": profile.account or None,
        "signal_delay_s": profile.warn_seconds,
        "dependency": dependency or None,
        "stderr_to_stdout": True,
        # Since SLURM 22.05 srun takes one core unless it is told again.
        "srun_args": ["--kill-on-bad-exit=1", f"--cpus-per-task={given['cpus_per_task']}"],
        "additional_parameters": extra,
        "setup": _lines_before(profile, code),
        "teardown": _AFTER.format(given_up=GIVEN_UP, warned=WARNED, ends=shlex.quote(str(cluster.ends))).splitlines(),
    }


def _of_gpu_jobs(profile: ClusterProfile) -> dict[str, Any]:
    gres = f"gpu:{profile.gpu_type}:{profile.gpus}" if profile.gpu_type else f"gpu:{profile.gpus}"
    return {
        "partition": profile.partition,
        "qos": profile.qos,
        "gres": gres if profile.gpus else "",
        "cpus_per_task": profile.cpus,
        "mem": _memory(profile.memory_gb),
        "time": profile.time_minutes,
        "array_parallelism": profile.parallel or profile.workers,
        "extra": dict(profile.extra),
    }


def _of_cpu_jobs(profile: ClusterProfile, jobs: CpuJobs) -> dict[str, object]:
    return {
        "partition": jobs.partition or profile.partition,
        "qos": jobs.qos or profile.qos,
        "cpus_per_task": jobs.cpus,
        "mem": _memory(jobs.memory_gb),
        "time": jobs.time_minutes,
        "array_parallelism": profile.parallel or profile.workers,
        "extra": dict(jobs.extra),
    }


def _memory(gigabytes: float) -> str:
    return f"{round(gigabytes * 1024)}M"


def _lines_before(profile: ClusterProfile, code: Path) -> list[str]:
    """Return the lines of a script before its command: the profile's, its environment, the frozen code."""
    environment = {**(OFFLINE if profile.offline else {}), **profile.environment}
    exports = [f"export {name}={shlex.quote(str(value))}" for name, value in environment.items()]
    path = f"export PYTHONPATH={shlex.quote(str(code))}${{PYTHONPATH:+:$PYTHONPATH}}"
    return [*_BEFORE.splitlines(), *profile.setup, *exports, path, "set +e"]


def python_of(profile: ClusterProfile) -> str:
    """Return the command of the jobs' Python, in the container if there is one; the user's folder has no modules."""
    python = f"{shlex.quote(profile.python or sys.executable)} -P"
    return f"{profile.container} {python}" if profile.container else python


def script_text(
    profile: ClusterProfile,
    step: str,
    folder: Path,
    *,
    cluster: ClusterFolder,
    code: Path,
    count: int | None,
    dependency: str = "",
) -> str:
    """Return the script of ``count`` array elements, or of one job, with submitit's files in ``folder``."""
    from submitit.slurm.slurm import _make_sbatch_string

    given = parameters(profile, step, cluster=cluster, code=code, dependency=dependency)
    command = f"{python_of(profile)} -u -m submitit.core._submit {shlex.quote(str(folder))}"
    return _make_sbatch_string(command=command, folder=folder, map_count=count, **given)
