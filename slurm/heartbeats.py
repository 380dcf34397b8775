"""Heartbeats: a file per worker that is touched while it lives; ages are by the file system's own clock."""

import time
from pathlib import Path

BEAT_SECONDS = 20.0
LOST_SECONDS = 180.0


class Heartbeat:
    """The heartbeat of one worker, and the ages of others' beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beaten = 0.0
        self._touched = 0.0

    def beat(self, *, now: bool = False) -> None:
        """Touch the file, unless that was a short while ago."""
        if now or time.monotonic() - self._beaten >= BEAT_SECONDS:
            self._beaten = time.monotonic()
            try:
                self._path.touch()
            except FileNotFoundError:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.touch()
            self._touched = self._path.stat().st_mtime

    def now(self) -> float:
        """Return the time by the file system's clock, whatever this node's clock says."""
        self.beat()
        return self._touched + time.monotonic() - self._beaten

    def is_lost(self, worker: str) -> bool:
        """Return whether ``worker`` has not touched its file for long."""
        try:
            touched = self._path.with_name(worker).stat().st_mtime
        except FileNotFoundError:
            return True
        return self.now() - touched > LOST_SECONDS

    def end(self) -> None:
        """Remove the file: this worker has ended and said so."""
        self._path.unlink(missing_ok=True)
