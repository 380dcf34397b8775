"""What batch scripts said of jobs that were told to end: a file per job, a line "<restarts> <word>" per attempt.

requeued     SLURM runs it again, of itself or as the script asked it to
cancelled    SLURM ends it and does not run it again: scancel, a time limit without a warning
refused      it was preempted or warned, but SLURM does not requeue it
unanswered   SLURM did not say

Of a job that ended by itself nothing is said.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from turnwise.slurm.layout import ClusterFolder

REQUEUED = "requeued"
# Attempts after which the job does not come back, in words.
STAYED_AWAY = {
    "cancelled": "cancelled",
    "refused": "not requeued, since SLURM refused",
    "unanswered": "not requeued, since SLURM did not answer",
}


class JobAttempt(NamedTuple):
    """One attempt at a job: its id, with the element of an array, and how often SLURM had restarted it."""

    job: str
    restarts: int


def read_ends(cluster: ClusterFolder) -> Mapping[JobAttempt, str]:
    """Return the words by attempt; what is torn is left out."""
    found: dict[JobAttempt, str] = {}
    with suppress(FileNotFoundError):
        for path in cluster.ends.iterdir():
            for line in path.read_text("utf-8", "replace").splitlines():
                restarts, _, word = line.partition(" ")
                if restarts.isdigit() and (word in STAYED_AWAY or word == REQUEUED):
                    found[JobAttempt(path.name, int(restarts))] = word
    return found
