"""Being told to stop: SLURM's warning (USR2) and its end (TERM), taken by a thread that only sets a flag.

Both signals reach every process of a job's step, so they are blocked before anything is started: engines,
judges and the programs they run inherit that, and none of them dies of a warning. A supervisor, which has to hear
them, takes them by a handler that only sets a word.
"""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

SIGNALS = (signal.SIGUSR2, signal.SIGTERM)
_POLL_SECONDS = 0.5


def block_signals() -> None:
    """Keep the signals from this process and all it starts; to be called before it starts threads."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


class Stop(Protocol):
    """Whether this worker has been told to stop, and by what."""

    reason: str

    def tell(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` once it is told."""
        ...


class NeverStop:
    """Nobody stops this worker but who ends its process."""

    reason = ""

    def tell(self, callback: Callable[[], object]) -> None:
        """Forget ``callback``."""


class StopFlag:
    """Set once this process has been told to stop, or its parent has gone; ``reason`` says by what."""

    def __init__(self) -> None:
        self.reason = ""
        self._told: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self._parent = os.getppid()
        threading.Thread(target=self._wait, name="stop", daemon=True).start()

    def tell(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` once the flag is set, from another thread; at once if it is."""
        with self._lock:
            self._told.append(callback)
            is_set = bool(self.reason)
        if is_set:
            callback()

    def _wait(self) -> None:
        while not self.reason:
            found = signal.sigtimedwait(SIGNALS, _POLL_SECONDS)
            if found is not None:
                self._set(signal.Signals(found.si_signo).name)
            elif os.getppid() != self._parent:
                self._set("PARENT")

    def _set(self, reason: str) -> None:
        with self._lock:
            self.reason = reason
            told = list(self._told)
        for callback in told:
            callback()


@dataclass(slots=True)
class Told:
    """What this process was told by signals; handlers only set it."""

    reason: str = ""

    def listen(self, *more: signal.Signals) -> None:
        """Take the signals, and ``more``, from now on; in the main thread."""
        for number in (*SIGNALS, *more):
            signal.signal(number, self._hear)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def _hear(self, number: int, _: object) -> None:
        name = signal.Signals(number).name
        if self.reason != "SIGTERM":  # after TERM a warning says nothing new
            self.reason = name
