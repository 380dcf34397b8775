"""What can be known before jobs are submitted: the limits of this cluster, and whether the profile keeps to them."""

import getpass
from collections.abc import Iterator
from dataclasses import dataclass

from turnwise.slurm.layout import CLOSE, JUDGE, SAMPLE
from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.queue import ask, limits, partition_minutes

DEFAULT_MAX_ARRAY = 1001


@dataclass(frozen=True, slots=True)
class ClusterLimits:
    """What this SLURM allows: elements of an array, jobs of this user (None: no limit is known).

    ``problems`` are sentences on what of the profile it would refuse.
    """

    answers: bool
    array_elements: int
    submit_jobs: int | None
    problems: tuple[str, ...]


def ask_limits(profile: ClusterProfile) -> ClusterLimits:
    """Return the limits of the cluster that is reached from here."""
    config = limits()
    if not config:
        return ClusterLimits(False, DEFAULT_MAX_ARRAY, None, ())
    said = config.get("MaxArraySize", "")
    elements = int(said) if said.isdigit() else DEFAULT_MAX_ARRAY  # from 0 to one less
    return ClusterLimits(True, max(1, elements), _submit_jobs(profile.account), tuple(_problems(profile)))


def jobs_of(workers: int) -> int:
    """Return how many jobs SLURM counts: each element of both arrays, and the closing job."""
    return 2 * workers + 1


def _submit_jobs(account: str) -> int | None:
    """Return the lowest MaxSubmitJobs of this user (with ``account``, if named), None without accounting or limit."""
    whose = [f"user={getpass.getuser()}", *([f"account={account}"] if account else [])]
    said = ask("sacctmgr", "-n", "-P", "show", "assoc", *whose, "format=MaxSubmitJobs")
    found = [int(line) for line in (said or "").split() if line.isdigit()]
    return min(found, default=None)


def _problems(profile: ClusterProfile) -> Iterator[str]:
    of_step = {
        SAMPLE: (profile.partition, profile.time_minutes),
        JUDGE: (profile.judge.partition or profile.partition, profile.judge.time_minutes),
        CLOSE: (profile.close.partition or profile.partition, profile.close.time_minutes),
    }
    for step, (partition, minutes) in of_step.items():
        is_there, limit = partition_minutes(partition)
        name = repr(partition) if partition else "by default"
        if not is_there:
            yield f"there is no partition {name} for the {step} jobs: mend the profile (sinfo lists them)"
        elif minutes > limit:
            yield (
                f"the {step} jobs ask for {minutes} minutes, but partition {name} allows {limit:.0f}: "
                f"set time_minutes to at most that"
            )
