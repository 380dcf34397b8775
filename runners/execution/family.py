"""Processes of a worker as the machine numbers them: a worker's own pid namespace hides the numbers.

Each has one child at a time: the worker's first process, the zygote, its runner, the runner's child.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def only_child(pid: int) -> int | None:
    """Return the number of the first child of the single-threaded process ``pid``, or None."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(listed[0]) if listed else None
    except ProcessLookupError:
        return None
    except FileNotFoundError:  # ended, or a kernel without CONFIG_PROC_CHILDREN
        return next(_children_by_search(pid), None) if Path(f"/proc/{pid}").exists() else None


def descendant(pid: int, generations: int) -> int | None:
    """Return the only child's only child, and so on, of ``pid``; None where the line ends before."""
    found: int | None = pid
    for _ in range(generations):
        found = only_child(found) if found is not None else None
    return found


def kill_descendant(pid: int, generations: int) -> None:
    """Kill ``descendant(pid, generations)`` if there is one; never a process that took over its number.

    ``pid`` must be a child of this process that has not been waited for, so that its number stays its own.
    """
    found = descendant(pid, generations)
    if found is None:
        return
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(found)
        try:
            if descendant(pid, generations) == found:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        finally:
            os.close(handle)


def _children_by_search(pid: int) -> Iterator[int]:
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            if int(entry.read_text().rpartition(")")[2].split()[1]) == pid:
                yield int(entry.parent.name)
