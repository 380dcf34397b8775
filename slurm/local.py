"""``--cluster local``: the same workers as a pool of processes of this machine, step after step.

What they say goes to standard error, so that standard output holds the tables alone.
"""

import sys
import threading
from collections.abc import Callable

from turnwise.slurm.layout import JUDGE, SAMPLE
from turnwise.slurm.submission import Submission
from turnwise.slurm.supervisor import JobFacts, Supervisor, Told, worker_command


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
