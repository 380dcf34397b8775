"""How the work of a job begins: on SLURM as a JobTask, with ``--cluster local`` as threads of this process.

A JobTask runs on SLURM's own signals. submitit pickles it by name, so that the job imports it from the frozen code. Of
submitit only the way into the job is used: its result files and job states are never asked, since they say nothing
after a power cut.

On one machine the same supervisors run step after step, and what their workers say goes to standard error, so that
standard output holds the tables alone.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from turnwise.slurm.signals import Told
from turnwise.slurm.submission import CLOSE, JUDGE, SAMPLE, TRAIN, ClusterFolder, Submission
from turnwise.slurm.supervisor import WARNED, JobFacts, Supervisor, worker_command
from turnwise.slurm.training import TrainingSupervisor

_STAGGER_SECONDS, _MOST_STAGGER_SECONDS = 0.05, 60.0


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
        if self.step == TRAIN:
            sys.exit(TrainingSupervisor.of(submission, facts, told).run())
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
