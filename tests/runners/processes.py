"""Processes as /proc shows them, and waiting for something to become true of them."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def descendants(root: int) -> set[int]:
    """Return the pids of all processes below ``root`` that run."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
            if fields[0] not in "ZX":
                parents[int(path.parent.name)] = int(fields[1])
    found: set[int] = set()
    front = {root}
    while front:
        front = {pid for pid, parent in parents.items() if parent in front}
        found |= front
    return found


def runs(pid: int | None) -> bool:
    """Return whether there is such a process, and it is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def holds_soon(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Return whether ``condition`` comes true within ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
