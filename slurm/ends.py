"""What batch scripts said of jobs that were told to end: a file per job, a line "<restarts> <word>" per attempt.

requeued     SLURM runs it again, of itself or as the script asked it to
cancelled    SLURM ends it and does not run it again: scancel, a time limit without a warning
refused      it was preempted or warned, but SLURM does not requeue it
unanswered   SLURM did not say

Of a job that ended by itself nothing is said.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from turnwise.files import files_inside, read_whole
from turnwise.slurm.layout import ClusterFolder

REQUEUED = "requeued"
_LARGEST = 2**20  # bytes of one file
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
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in files_inside(cluster.ends, ending=""):
            for line in read_whole(path, limit=_LARGEST, follow=False).decode("utf-8", "replace").splitlines():
                restarts, _, word = line.partition(" ")
                if re.fullmatch("[0-9]{1,9}", restarts) and (word in STAYED_AWAY or word == REQUEUED):
                    found[JobAttempt(path.name, int(restarts))] = word
    return found
