"""Append-only logs: lines that survive kill -9 at once and a power cut soon, without waiting for the disk."""

import os
import threading
from pathlib import Path
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.locks import Lock

SYNC_SECONDS = 5.0


class AppendLog:
    """An append-only file of lines: what is written survives the end of this process at once.

    Syncing is the Syncer's business, so that writing never waits for the disk. With ``exclusive`` a second
    writer is refused (TurnwiseError). The file is made with the first line.
    """

    def __init__(self, path: Path, *, exclusive: bool = False) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file: Any = None
        self._is_dirty = False
        self._claimed: Lock | None = None
        if exclusive:
            self._open()
            self._claim()

    def write(self, line: str) -> None:
        """Append ``line``, which holds no line break; an OSError names the file, and what was written of it is torn."""
        with self._lock:
            if self._file is None:
                self._open()
            try:
                self._file.write(line.encode("utf-8") + b"\n")
                self._file.flush()
            except OSError as error:
                error.filename = error.filename or str(self.path)  # a full disk says nothing of it
                self._file.raw.close()  # and with it what could not be written
                self._file = None
                raise
            self._is_dirty = True

    def sync(self) -> None:
        """Wait until what was written is on the disk."""
        with self._lock:
            if self._file is None or not self._is_dirty:
                return
            self._is_dirty = False
            descriptor = os.dup(self._file.fileno())
        try:
            os.fsync(descriptor)  # outside the lock: writers go on meanwhile
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Sync and close the file."""
        self.sync()
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
            if self._claimed is not None:
                self._claimed.release()
                self._claimed = None

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("ab+")
        if self._file.tell():
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":  # a torn line: it must not swallow the next one
                self._file.write(b"\n")

    def _claim(self) -> None:
        try:
            self._claimed = Lock(self.path)
        except BlockingIOError:
            self._file.close()
            raise TurnwiseError(
                f"Another process is working in this run folder, since it holds {str(self.path)!r}: "
                "wait until it ends, or stop it."
            ) from None


class Syncer:
    """A thread that syncs the logs it watches every few seconds."""

    def __init__(self) -> None:
        self._logs: set[AppendLog] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)
        self._thread.start()

    def watch(self, log: AppendLog) -> None:
        """Sync ``log`` from now on."""
        with self._lock:
            self._logs.add(log)

    def forget(self, log: AppendLog) -> None:
        """Sync ``log`` no more."""
        with self._lock:
            self._logs.discard(log)

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(SYNC_SECONDS):
            with self._lock:
                logs = list(self._logs)
            for log in logs:
                log.sync()
