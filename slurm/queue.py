"""What SLURM says: of jobs, and of its limits, before any are submitted; None where it cannot say.

squeue, sacct and scontrol are each asked once for everything.
"""

import getpass
import os
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.submission import CLOSE, JUDGE, SAMPLE, TRAIN

_TIMEOUT_SECONDS = 60.0
PREEMPTED = "PREEMPTED"
_ENDED = frozenset(
    (
        "COMPLETED",
        "FAILED",
        "CANCELLED",
        "TIMEOUT",
        "NODE_FAIL",
        PREEMPTED,
        "OUT_OF_MEMORY",
        "BOOT_FAIL",
        "DEADLINE",
        "REVOKED",
    )
)
DEFAULT_MAX_ARRAY = 1001


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job, or an element of an array, that SLURM knows: ``element`` names several of a pending array."""

    job: str
    element: str
    state: str
    reason: str
    node: str

    @property
    def has_ended(self) -> bool:
        """Whether SLURM only remembers it."""
        return self.state in _ENDED


def ask(*command: str) -> str | None:
    """Return what a command of SLURM prints, None if it is missing, fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_TIMEOUT_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def known_jobs(jobs: Sequence[str], scripts: Sequence[Path], owner: int) -> list[QueuedJob] | None:
    """Return what SLURM knows of ``jobs``, and of those whose batch script was in one of the folders ``scripts``.

    Both are of the user with the number ``owner``. Whoever asks, in partitions that are hidden from them too; jobs that
    have ended are known for some minutes. None if SLURM does not answer, or would show them to their owner alone: that
    is not the same as no jobs.
    """
    if not jobs and not scripts:
        return []
    said = ask("squeue", "--all", "--noheader", "--format=%F|%K|%T|%r|%N|%o", "--states=all")
    if said is None or (owner != os.getuid() and _are_jobs_private()):
        return None
    wanted, found = set(jobs), []
    folders = {os.path.realpath(folder) for folder in scripts}
    for line in said.split("\n"):
        job, element, state, reason, node, script = (line.split("|", 5) + [""] * 6)[:6]
        if job in wanted or (folders and _folder_of(script) in folders):
            found.append(QueuedJob(job, element, state, reason, node))
    return found


def _folder_of(script: str) -> str:
    """Return the folder of a run's batch script without its links, "" for that of another job."""
    path = Path(script)
    return os.path.realpath(path.parent) if path.match("cluster/submissions/*/jobs/*/*.sh") else ""


def _are_jobs_private() -> bool:
    """Return whether SLURM shows a user nothing of others' jobs (but for root, who sees all), or does not say."""
    private = limits().get("PrivateData")
    return private is None or ("jobs" in private.split(",") and os.getuid() != 0)


def job_state(job: str) -> str:
    """Return the state of one job or element as SLURM remembers it, "" if it does not."""
    said = ask("scontrol", "show", "job", "--oneliner", job)
    return _fields(said or "").get("JobState", "")


def limits() -> Mapping[str, str]:
    """Return SLURM's configuration by name, empty if it does not answer."""
    found = {}
    for line in (ask("scontrol", "show", "config") or "").splitlines():
        name, sign, value = line.partition("=")
        if sign:
            found[name.strip()] = value.strip()
    return found


def partition_minutes(name: str) -> tuple[bool, float]:
    """Return whether there is such a partition ("": the default one), and its time limit in minutes."""
    said = ask("scontrol", "show", "partition", "--oneliner", *([name] if name else []))
    if said is None:
        return False, 0.0
    for line in said.splitlines():
        fields = _fields(line)
        if name or fields.get("Default") == "YES":
            return True, _minutes(fields.get("MaxTime", ""))
    return False, 0.0


def _fields(line: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in line.split() if "=" in part)


def _minutes(text: str) -> float:
    """Return minutes of SLURM's [days-]hours:minutes:seconds."""
    if not text or text.upper() in ("UNLIMITED", "INFINITE"):
        return float("inf")
    days, _, rest = text.rpartition("-")
    hours, minutes, seconds = ([0.0] * 3 + [float(part) for part in rest.split(":")])[-3:]
    return float(days or 0) * 1440 + hours * 60 + minutes + seconds / 60


@dataclass(frozen=True, slots=True)
class ClusterLimits:
    """What this SLURM allows: elements of an array, jobs of this user (None: no limit is known).

    ``problems`` are sentences on what of the profile it would refuse.
    """

    answers: bool
    array_elements: int
    submit_jobs: int | None
    problems: tuple[str, ...]


def ask_limits(profile: ClusterProfile, *, steps: Collection[str] = (SAMPLE, JUDGE, CLOSE)) -> ClusterLimits:
    """Return the limits of the cluster that is reached from here, as far as jobs of ``steps`` meet them."""
    config = limits()
    if not config:
        return ClusterLimits(False, DEFAULT_MAX_ARRAY, None, ())
    said = config.get("MaxArraySize", "")
    elements = int(said) if said.isdigit() else DEFAULT_MAX_ARRAY  # from 0 to one less
    return ClusterLimits(True, max(1, elements), _submit_jobs(profile.account), tuple(_problems(profile, steps)))


def jobs_of(workers: int) -> int:
    """Return how many jobs SLURM counts: each element of both arrays, and the closing job."""
    return 2 * workers + 1


def _submit_jobs(account: str) -> int | None:
    """Return the lowest MaxSubmitJobs of this user (with ``account``, if named), None without accounting or limit."""
    whose = [f"user={getpass.getuser()}", *([f"account={account}"] if account else [])]
    said = ask("sacctmgr", "-n", "-P", "show", "assoc", *whose, "format=MaxSubmitJobs")
    found = [int(line) for line in (said or "").split() if line.isdigit()]
    return min(found, default=None)


def _problems(profile: ClusterProfile, steps: Collection[str]) -> Iterator[str]:
    of_step = {
        SAMPLE: (profile.partition, profile.time_minutes),
        JUDGE: (profile.judge.partition or profile.partition, profile.judge.time_minutes),
        CLOSE: (profile.close.partition or profile.partition, profile.close.time_minutes),
        TRAIN: (profile.partition, profile.time_minutes),
    }
    for step in steps:
        partition, minutes = of_step[step]
        is_there, limit = partition_minutes(partition)
        name = repr(partition) if partition else "by default"
        if not is_there:
            yield f"there is no partition {name} for the {step} jobs: mend the profile (sinfo lists them)"
        elif minutes > limit:
            yield (
                f"the {step} jobs ask for {minutes} minutes, but partition {name} allows {limit:.0f}: "
                f"set time_minutes to at most that"
            )
