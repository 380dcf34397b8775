"""What this machine gives to a job that judges: cores, memory, limits; and what of it is too little.

Reads only, from /proc, /sys and the environment. A job's memory is the smallest limit of the control
groups it is in (version 2 or 1), which is where SLURM puts it, or the machine's memory.
"""

import os
import platform
import resource
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_UNLIMITED = 1 << 62
_ARM_NUMBERS = ("CPU implementer", "CPU part", "CPU variant", "CPU revision")


@dataclass(frozen=True, slots=True)
class Host:
    """Cores this process may use, memory of its job in bytes, hard limits (None: unlimited), SLURM's job id."""

    cores: int
    memory_bytes: int
    stack_bytes: int | None
    processes: int | None
    descriptors: int | None
    slurm_job: str

    def advice(self, *, workers: int, memory_limit_bytes: int) -> Iterator[str]:
        """Yield a sentence for each thing that is too little to judge ``workers`` programs at a time."""
        if workers > self.cores:
            yield f"{workers} workers share {self.cores} usable cores: give --workers {self.cores}."
        fitting = max(1, self.memory_bytes // memory_limit_bytes)
        if workers > fitting:
            yield (
                f"{workers} programs of up to {_gibibytes(memory_limit_bytes)} do not fit into this job's "
                f"{_gibibytes(self.memory_bytes)}: give --workers {fitting}, or the job more memory."
            )


def inspect_host(environ: Mapping[str, str], *, root: Path = Path("/")) -> Host:
    """Return what this process is given; ``root`` is where /proc and /sys are looked for."""
    return Host(
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=min([_machine_memory(root), *_group_limits(root)]),
        stack_bytes=_hard_limit(resource.RLIMIT_STACK),
        processes=_hard_limit(resource.RLIMIT_NPROC),
        descriptors=_hard_limit(resource.RLIMIT_NOFILE),
        slurm_job=environ.get("SLURM_JOB_ID", ""),
    )


@cache
def cpu_model() -> str:
    """Return the model name of this machine's CPU, or of its architecture where the kernel tells none."""
    return read_cpu_model(Path("/proc/cpuinfo"))


def read_cpu_model(path: Path) -> str:
    """Return the model name in a file like /proc/cpuinfo; an ARM core has numbers, and no name."""
    fields: dict[str, str] = {}
    with suppress(OSError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            fields.setdefault(name.strip(), " ".join(value.split()))
    numbers = [f"{name.removeprefix('CPU ')} {fields[name]}" for name in _ARM_NUMBERS if name in fields]
    return (fields.get("model name") or " ".join([platform.machine(), *numbers]))[:120]


def _hard_limit(kind: int) -> int | None:
    hard = resource.getrlimit(kind)[1]
    return None if hard == resource.RLIM_INFINITY else hard


def _machine_memory(root: Path) -> int:
    with suppress(OSError):
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemTotal:"):
                return int(line.split()[1]) * 1024
    return _UNLIMITED


def _group_limits(root: Path) -> Iterator[int]:
    """Yield the memory limits of the control groups of this process and of those above them."""
    for line in (root / "proc/self/cgroup").read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            base, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            base, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        place = base / group.lstrip("/")
        for folder in (place, *place.parents):
            with suppress(OSError, ValueError):
                yield int((folder / name).read_text())
            if folder == base:
                break


def _gibibytes(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB"
