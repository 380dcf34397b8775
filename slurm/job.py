"""What submitit runs in a job: a supervisor, on SLURM's own signals.

submitit pickles it by name, so that the job imports it from the frozen code. Of submitit only the way into the
job is used: its result files and job states are never asked, since they say nothing after a power cut.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from turnwise.slurm.layout import CLOSE, JUDGE, ClusterFolder
from turnwise.slurm.submission import Submission
from turnwise.slurm.supervisor import WARNED, JobFacts, Supervisor, Told, worker_command

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
        step, slot = (JUDGE, submission.record.workers) if self.step == CLOSE else (self.step, slot)
        command = worker_command(run, self.submission, step, slot)
        supervisor = Supervisor(submission, step, slot, facts, command, told)
        status = supervisor.run()
        if self.step == CLOSE and not told.reason:  # what no judge of the array came to is judged by now
            status = subprocess.call([sys.executable, "-P", "-u", "-m", "turnwise", "collect", str(run)])
            if told.reason and status < 0:
                status = supervisor.stop_status()
        sys.exit(status)

    def checkpoint(self, *_: Any) -> NoReturn:
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
