"""A pool of workers: one program at a time each, idle ones used again, dead ones replaced.

It grows to as many workers as are in use at a time and never shrinks before it is closed; how many
programs run at a time is the caller's to bound. Safe to use from several threads.
"""

import threading
from collections import defaultdict
from collections.abc import Callable

from turnwise.errors import InfrastructureError
from turnwise.runners.execution.worker import Worker, WorkerKind


class WorkerPool:
    """Workers made by ``start``, by kind."""

    def __init__(self, start: Callable[[WorkerKind], Worker]) -> None:
        self._start = start
        self._idle: dict[WorkerKind, list[Worker]] = defaultdict(list)
        self._lock = threading.Lock()
        self._closed = False

    def acquire(self, kind: WorkerKind) -> Worker:
        """Return a worker for one program; raises InfrastructureError if none can be started."""
        while True:
            with self._lock:
                if self._closed:
                    raise InfrastructureError("The executor is closed: make a new one.")
                worker = self._idle[kind].pop() if self._idle[kind] else None
            if worker is None:
                return self._start(kind)
            if worker.is_alive():
                return worker
            worker.close()

    def release(self, worker: Worker) -> None:
        """Take a worker back whose program has ended, or close it if it cannot be used again."""
        with self._lock:
            keep = worker.usable and not self._closed
            if keep:
                self._idle[worker.kind].append(worker)
        if not keep:
            worker.close()

    def close(self) -> None:
        """Close all idle workers, and those in use when they come back."""
        with self._lock:
            self._closed = True
            workers = [worker for idle in self._idle.values() for worker in idle]
            self._idle.clear()
        for worker in workers:
            worker.close()
