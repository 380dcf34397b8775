"""Resource limits of a runner and its children: backstops, since the judge's clocks decide first.

Covers address space (with slack: thread stacks reserve it), the size of a written file, core files, open
descriptors, threads where they are counted per worker, and CPU time of stdin programs. Does NOT decide a
memory verdict (that is the peak resident set) and does not bound threads of an ordinary user without a
user namespace, whose processes anywhere on the machine would count.
"""

import resource

from turnwise.runners.execution import child

_DESCRIPTORS = 256
_TASKS = 512


def apply(*, base_bytes: int, memory_bytes: int, file_bytes: int, cpu_seconds: int, count_tasks: bool) -> None:
    """Set all limits; ``base_bytes`` is the address space of the zygote, ``cpu_seconds`` 0 sets none."""
    child.lower(resource.RLIMIT_AS, base_bytes + memory_bytes + child.ADDRESS_SPACE_SLACK_BYTES)
    child.lower(resource.RLIMIT_FSIZE, file_bytes)
    child.lower(resource.RLIMIT_CORE, 0)
    child.lower(resource.RLIMIT_NOFILE, _DESCRIPTORS)
    if count_tasks:
        child.lower(resource.RLIMIT_NPROC, _TASKS)
    if cpu_seconds:
        child.lower(resource.RLIMIT_CPU, cpu_seconds + child.CPU_SLACK_SECONDS)
