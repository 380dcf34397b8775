"""The log of one worker: when its job started and stopped, what it claimed, what crashed; one JSON object a line.

Costs are billed from it where SLURM keeps no accounting.
"""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from turnwise.files import read_whole
from turnwise.records.codec import from_json, if_set, to_line
from turnwise.runners.logs import AppendLog

START, STOP, CRASH, FAILED, CLAIM = "start", "stop", "crash", "failed", "claim"
RANK = "rank"  # a process of a training that has several, at its end
_LARGEST = 2**30  # bytes of one log


@dataclass(frozen=True, slots=True)
class Event:
    """One event at ``time`` (Unix seconds): which fields it has depends on what it is.

    ``shards`` are those that were open at a crash, ``log`` a worker's last lines, ``command`` what started it, ``told``
    why a job had to end.
    """

    time: float
    event: str
    worker: str = if_set("")
    step: str = if_set("")
    job: str = if_set("")
    node: str = if_set("")
    restarts: int = if_set(0)
    gpus: int = if_set(0)
    pid: int = if_set(0)
    status: int | None = if_set(None)
    told: str = if_set("")
    task: str = if_set("")
    shard: int | None = if_set(None)
    attempt: int = if_set(0)
    shards: tuple[tuple[str | int, ...], ...] = if_set(())
    log: tuple[str, ...] = if_set(())
    command: str = if_set("")

    @property
    def is_sound(self) -> bool:
        """Whether it has what readers of its kind rely on."""
        has_end = self.status is not None or self.event not in (CRASH, FAILED, RANK)
        return math.isfinite(self.time) and has_end and (self.shard is not None or self.event != CLAIM)


class EventLog:
    """Appends events; each is on the disk before ``write`` returns, or printed where the disk takes none."""

    def __init__(self, path: Path) -> None:
        self._log = AppendLog(path)

    def write(self, event: Event) -> None:
        """Append one event."""
        line = to_line(event)
        try:
            self._log.write(line)
            self._log.sync()
        except OSError as error:  # a full disk ends a worker, not the one that watches it
            print(f"{self._log.path}: {error.strerror}: {line}", flush=True)

    def close(self) -> None:
        """Close the file."""
        self._log.close()


def now() -> float:
    """Return the time of an event that happens now."""
    return round(time.time(), 3)


def read_events(path: Path) -> Iterator[Event]:
    """Yield the events of one log, without lines that are torn or that no worker wrote; no file is an empty one."""
    try:
        lines = read_whole(path, limit=_LARGEST, follow=False).splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            event = from_json(Event, json.loads(line))
        except (ValueError, RecursionError):
            continue
        if event.is_sound:
            yield event
