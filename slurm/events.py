"""The log of one worker: when its job started and stopped, what it claimed, what crashed; one JSON object a line.

Costs are billed from it where SLURM keeps no accounting.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turnwise.runners.logs import AppendLog

START, STOP, CRASH, FAILED, CLAIM = "start", "stop", "crash", "failed", "claim"


class EventLog:
    """Appends events; each is on the disk before ``write`` returns, or printed where the disk takes none."""

    def __init__(self, path: Path) -> None:
        self._log = AppendLog(path)

    def write(self, event: str, **fields: Any) -> None:
        """Append one event."""
        line = json.dumps({"time": round(time.time(), 3), "event": event, **fields})
        try:
            self._log.write(line)
            self._log.sync()
        except OSError as error:  # a full disk ends a worker, not the one that watches it
            print(f"{self._log.path}: {error.strerror}: {line}", flush=True)

    def close(self) -> None:
        """Close the file."""
        self._log.close()


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of one log; a torn line is skipped, a file that is not there is empty."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            event = json.loads(line)
            float(event["time"]), str(event["event"])
        except (ValueError, KeyError, TypeError):
            continue
        yield event
