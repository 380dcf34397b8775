"""What this machine gives to a job that judges: cores, memory, limits; and what of it is too little.

Read from /proc, /sys and the environment. A job's memory is the smallest limit of the control groups it is in
(version 2 or 1), which is where SLURM puts it, or the machine's memory.

Limits that this process inherited may be below what a problem promises its programs. A hard limit (``ulimit -v``, a
batch system's, a container's) binds every program that is judged here. What it makes fail says nothing of the program,
so such a run is the machine's failure: missing, never wrong. Where a program could meet the limit unseen, as one that
catches MemoryError, only a pass counts; where meeting it leaves a trace (a crash, a file of exactly that size), the
trace decides. Soft limits decide nothing: the sandbox sets its own up to the hard ones. None is raised here but the
open files of this process, which it needs itself.
"""

import math
import os
import platform
import resource
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from turnwise.errors import InfrastructureError
from turnwise.records.problem import Limits
from turnwise.runners.execution import child
from turnwise.runners.execution.interface import Ending, Execution
from turnwise.runners.execution.process import COMPILE_TIME_LIMIT_SECONDS, ran_out_of_memory
from turnwise.runners.execution.sandbox import rlimits

_UNLIMITED = 1 << 62
_ARM_NUMBERS = ("CPU implementer", "CPU part", "CPU variant", "CPU revision")
STACK_BYTES = 1 << 30
DESCRIPTORS = 256  # of a judge, besides those of its workers
_DESCRIPTORS_OF_WORKER = 12
_INTERPRETER_BYTES = 256 << 20  # address space that it has mapped before a program begins, with numpy
_PROGRAM_TASKS = 512
_NAMES = {
    resource.RLIMIT_AS: ("address space", "v", 1024),
    resource.RLIMIT_DATA: ("data", "d", 1024),
    resource.RLIMIT_STACK: ("the stack", "s", 1024),
    resource.RLIMIT_FSIZE: ("the size of a file", "f", 1024),
    resource.RLIMIT_CPU: ("CPU time", "t", 1),
    resource.RLIMIT_NPROC: ("processes and threads", "u", 1),
    resource.RLIMIT_NOFILE: ("open files", "n", 1),
}
_BYTES = (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_STACK, resource.RLIMIT_FSIZE)
_UNSEEN = (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_NPROC)
_TRACES = {
    resource.RLIMIT_STACK: ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "RecursionError", "MemoryError"),
    resource.RLIMIT_FSIZE: ("SIGXFSZ", "File too large", "Errno 27"),
    resource.RLIMIT_CPU: ("SIGXCPU", "SIGKILL"),
}


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


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A hard limit that is below what programs are promised, both in the limit's own unit."""

    kind: int
    hard: int
    needed: int

    @property
    def spoils_much(self) -> bool:
        """Whether it could be behind many failures, or end the judge itself; the stack ends deep recursion alone."""
        return self.kind != resource.RLIMIT_STACK

    def __str__(self) -> str:
        name, option, unit = _NAMES[self.kind]
        if self.kind == resource.RLIMIT_CPU:  # the judge's own time counts too, so that no number would do
            return (
                f"The hard limit of CPU time is {self.hard} s, below the {self.needed} s that programs are promised: "
                "what may fail for it gets no verdict, and this process itself is killed when it has used them. Raise "
                "it (ulimit -t unlimited) before turnwise begins."
            )
        return (
            f"The hard limit of {name} is {_shown(self.kind, self.hard)}, below the "
            f"{_shown(self.kind, self.needed)} that programs are promised: what may fail for it gets no verdict. "
            f"Raise it (ulimit -{option} {-(-self.needed // unit)}, or unlimited) before turnwise begins."
        )


@dataclass(frozen=True, slots=True)
class InheritedLimits:
    """Hard limits by kind, where there are any, and how many threads of others count against this user's."""

    hard: Mapping[int, int]
    other_tasks: int = 0

    @classmethod
    def read(cls) -> "InheritedLimits":
        """Return those of this process."""
        hard = {kind: resource.getrlimit(kind)[1] for kind in _NAMES}
        found = {kind: value for kind, value in hard.items() if value != resource.RLIM_INFINITY}
        user = os.geteuid()
        # As root a worker takes another user's id, which has no other processes.
        others = rlimits.tasks_of(user) if user and resource.RLIMIT_NPROC in found else 0
        return cls(found, others)

    def shortfalls(self, limits: Limits) -> tuple[Shortfall, ...]:
        """Return each hard limit that is below what a program under ``limits`` is promised."""
        memory = limits.memory_limit_bytes + child.ADDRESS_SPACE_SLACK_BYTES + _INTERPRETER_BYTES
        seconds = math.ceil(limits.time_limit_seconds + COMPILE_TIME_LIMIT_SECONDS) + child.CPU_SLACK_SECONDS
        needed = {
            resource.RLIMIT_AS: memory,
            resource.RLIMIT_DATA: memory,
            resource.RLIMIT_STACK: STACK_BYTES,
            resource.RLIMIT_FSIZE: limits.output_limit_bytes + 1,
            resource.RLIMIT_CPU: seconds,
            resource.RLIMIT_NPROC: self.other_tasks + _PROGRAM_TASKS,
        }
        return tuple(Shortfall(kind, self.hard[kind], needed[kind]) for kind in needed if self._is_below(kind, needed))

    def advice(self, limits: Limits) -> tuple[str, ...]:
        """Return the sentence on a limit that this process itself will reach in time, if no shortfall is one."""
        if resource.RLIMIT_CPU not in self.hard or any(
            one.kind == resource.RLIMIT_CPU for one in self.shortfalls(limits)
        ):
            return ()
        return (
            f"The hard limit of CPU time is {self.hard[resource.RLIMIT_CPU]} s, with which this process itself is "
            "killed when it has used them: raise it (ulimit -t unlimited), or run the same line again to go on.",
        )

    def _is_below(self, kind: int, needed: Mapping[int, int]) -> bool:
        return kind in self.hard and self.hard[kind] < needed[kind]

    def read_execution(self, execution: Execution, limits: Limits) -> Execution:
        """Return ``execution`` with what a limit of this machine may have done to it taken for the machine's doing."""
        for shortfall in self.shortfalls(limits):
            if not _may_be_due_to(shortfall, execution, limits):
                continue
            if execution.ending is Ending.FINISHED:
                return replace(execution, hampered=str(shortfall))
            error = "\n".join(filter(None, (execution.error, str(shortfall))))
            return replace(execution, ending=Ending.INFRASTRUCTURE, error=error)
        return execution


def _may_be_due_to(shortfall: Shortfall, execution: Execution, limits: Limits) -> bool:
    if execution.ending is Ending.CPU_LIMIT and execution.cpu_seconds > limits.time_limit_seconds:
        return False
    if execution.ending is Ending.MEMORY_LIMIT and execution.peak_memory_bytes > limits.memory_limit_bytes:
        return False
    if shortfall.kind in _UNSEEN:
        return execution.ending is not Ending.COMPILE_ERROR or ran_out_of_memory(execution.error)
    if shortfall.kind == resource.RLIMIT_FSIZE and len(execution.output) >= shortfall.hard:
        return True
    if execution.ending is Ending.FINISHED:
        return False
    return any(trace in execution.error for trace in _TRACES[shortfall.kind]) or (
        shortfall.kind == resource.RLIMIT_FSIZE and execution.ending is Ending.OUTPUT_LIMIT
    )


def raise_descriptors(wanted: int) -> int:
    """Raise this process's soft limit of open files to ``wanted``, or as near as may be; return the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return hard


def need_descriptors(workers: int) -> None:
    """Raise this process's soft limit of open files to what ``workers`` need; InfrastructureError if it cannot be."""
    needed = DESCRIPTORS + workers * _DESCRIPTORS_OF_WORKER
    hard = raise_descriptors(needed)
    if hard != resource.RLIM_INFINITY and hard < needed:
        least = "" if workers < 2 else ", or give fewer --workers"
        raise InfrastructureError(
            f"The hard limit of open files is {hard}, below the {needed} that judging needs here: raise it "
            f"(ulimit -n {max(1024, needed)}) before turnwise begins{least}."
        )


def _shown(kind: int, value: int) -> str:
    if kind == resource.RLIMIT_CPU:
        return f"{value} s"
    if kind not in _BYTES:
        return str(value)
    return f"{value >> 20} MiB" if value >= 1 << 20 else f"{value >> 10} KiB"
