"""What the job of a training starts: the trainer of its method, on what its submission froze."""

import os
import traceback
from contextlib import closing

from turnwise.commands.submit_training import training_of
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.slurm.events import RANK, Event, EventLog, now
from turnwise.slurm.signals import Stop
from turnwise.slurm.submission import TRAIN, Submission, worker_name
from turnwise.slurm.supervisor import STOPPED


def train_on(submission: Submission, *, stop: Stop, environ: dict[str, str]) -> int:
    """Train until the last step, or until ``stop`` says so and a checkpoint is saved; return the exit status.

    A process of several says in the log of events how it ended, and leaves with 0 where it was told to: see
    slurm/training.py.
    """
    if submission.record.profile.gpus < 2:
        return _train(submission, stop, environ)
    with closing(EventLog(submission.cluster.events(worker_name(submission.number, TRAIN, 0)))) as events:
        try:
            status = _train(submission, stop, environ)
        except TurnwiseError as error:
            events.write(Event(now(), RANK, status=error.exit_status, log=(f"turnwise: {error}",)))
            raise
        except Exception as error:
            last = traceback.format_exception_only(error)[-1].strip()
            events.write(Event(now(), RANK, status=1, log=(last[:2000],)))
            raise
        events.write(Event(now(), RANK, status=status))
    return os.EX_OK if status == STOPPED else status


def _train(submission: Submission, stop: Stop, environ: dict[str, str]) -> int:
    asked = submission.record.profile.gpus
    started = int(environ.get("WORLD_SIZE", "1"))
    if asked > 1 and started != asked:
        raise InfrastructureError(
            f"The profile asks for {asked} GPUs, but accelerate started {started} process(es), since it sees fewer "
            "here: mend gpus in the profile, or what accelerate config was told."
        )
    return training_of(submission).train(environ=environ, stop=lambda: bool(stop.reason))
