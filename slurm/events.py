"""The log of one worker: when its job started and stopped, what it claimed, what crashed; one JSON object a line.

Costs are billed from it where SLURM keeps no accounting.
"""

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turnwise.files import read_whole
from turnwise.json_text import json_text
from turnwise.runners.logs import AppendLog

START, STOP, CRASH, FAILED, CLAIM = "start", "stop", "crash", "failed", "claim"
_LARGEST = 2**30  # bytes of one log
_NEEDED = {CRASH: ("status",), FAILED: ("status",), CLAIM: ("task", "shard", "attempt")}
_KINDS: dict[str, type | tuple[type, ...]] = {
    "event": str,
    **dict.fromkeys(("status", "shard", "attempt", "gpus", "restarts"), int),
    **dict.fromkeys(("task", "node", "command"), str),
    **dict.fromkeys(("log", "shards"), list),
}


class EventLog:
    """Appends events; each is on the disk before ``write`` returns, or printed where the disk takes none."""

    def __init__(self, path: Path) -> None:
        self._log = AppendLog(path)

    def write(self, event: str, **fields: object) -> None:
        """Append one event."""
        line = json_text({"time": round(time.time(), 3), "event": event, **fields})
        try:
            self._log.write(line)
            self._log.sync()
        except OSError as error:  # a full disk ends a worker, not the one that watches it
            print(f"{self._log.path}: {error.strerror}: {line}", flush=True)

    def close(self) -> None:
        """Close the file."""
        self._log.close()


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of one log, without lines that are torn or that no worker wrote; no file is an empty one."""
    try:
        lines = read_whole(path, limit=_LARGEST, follow=False).splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            event = json.loads(line)
            is_sound = math.isfinite(event["time"]) and all(name in event for name in _NEEDED.get(event["event"], ()))
            is_sound &= all(isinstance(event[name], kind) for name, kind in _KINDS.items() if name in event)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue
        if is_sound:
            yield event
