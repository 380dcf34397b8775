"""Resource limits of a runner and its children: backstops, since the judge's clocks decide first.

Covers address space (with slack: thread stacks reserve it), the size of a written file, core files, open
descriptors, threads, and CPU time of stdin programs. Does NOT decide a memory verdict (that is the peak
resident set). Threads are counted by user: where a worker has a user of its own the limit is tight; where
it shares the judge's user, whose processes anywhere on the machine count, there is room for those to grow.
"""

import contextlib
import os
import re
import resource

from turnwise.runners.execution import child

_DESCRIPTORS = 256
_TASKS = 512
_ROOM_FOR_OTHERS = 4096


def apply(*, base_bytes: int, memory_bytes: int, file_bytes: int, cpu_seconds: int, other_tasks: int) -> None:
    """Set all limits; ``base_bytes`` is the address space of the zygote, ``cpu_seconds`` 0 sets none.

    ``other_tasks`` is how many threads the user had when the worker started, 0 if it is the worker's own.
    """
    child.lower(resource.RLIMIT_AS, base_bytes + memory_bytes + child.ADDRESS_SPACE_SLACK_BYTES)
    child.lower(resource.RLIMIT_FSIZE, file_bytes)
    child.lower(resource.RLIMIT_CORE, 0)
    child.raise_soft_limits()
    child.lower(resource.RLIMIT_NOFILE, _DESCRIPTORS)
    child.lower(resource.RLIMIT_NPROC, other_tasks + _ROOM_FOR_OTHERS if other_tasks else _TASKS)
    if cpu_seconds:
        child.lower(resource.RLIMIT_CPU, cpu_seconds + child.CPU_SLACK_SECONDS)


def counts_across_namespaces(release: str) -> bool:
    """Return whether a kernel counts a user's threads in all user namespaces together, as it did before 5.14."""
    found = re.match(r"(\d+)\.(\d+)", release)
    return found is None or (int(found[1]), int(found[2])) < (5, 14)


def tasks_of(user: int) -> int:
    """Return how many threads of ``user`` run on the machine, at least 1."""
    count = 1
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and os.stat("/proc/" + name).st_uid == user:
                count += len(os.listdir("/proc/%s/task" % name))
    return count
