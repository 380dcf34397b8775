"""What a process has to see to before anything else: what it takes for granted, and the signals that end it.

Standard streams, a working folder, memory, a umask: shells, batch systems and containers start processes without one
or the other. What can be put right is put right; what cannot is one sentence. Imports next to nothing, since little may
be had yet.

Ctrl-C and SIGTERM: the process ends with one sentence and status 130, at whichever line they come. The first one
raises, so that files are closed and workers ended. Where that could be swallowed, or come out as another error, and at
the second one, the process is left at once: what a run has is on the disk at any moment. Ctrl-C stays ignored where it
was when the process began, as shells do it for what runs in the background (``nohup ... &``).
"""

import _thread
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from turnwise.errors import InfrastructureError, TurnwiseError

STATUS = 130
_SAID = "turnwise: interrupted; run the same line again to go on.\n"
_STOPPING = "turnwise: stopping; once more to stop at once.\n"
_SHOW_CURSOR = "\x1b[?25h"  # a progress bar hides it
_MOST_THREADS = 64  # of numpy's OpenBLAS
_NEEDED_BYTES = 400 << 20  # address space of this process, its numerical libraries included


def open_missing_streams() -> None:
    """Let a standard stream that is closed read nothing and swallow all, so that no other file gets its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, and those below are taken
        if getattr(sys, name) is None:
            mode = "r" if number == 0 else "w"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - as long as we run


def check_surroundings() -> None:
    """Raise TurnwiseError or InfrastructureError for what nothing here could do without; put right the umask."""
    mask = os.umask(0o077)
    os.umask(mask & ~0o700)  # what takes our own rights from us leaves nothing that we write of use
    try:
        Path.cwd()
    except FileNotFoundError:
        raise TurnwiseError("The working folder does not exist any more: change to another (cd).") from None
    for kind, option in ((resource.RLIMIT_AS, "v"), (resource.RLIMIT_DATA, "d")):
        soft, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY and hard < _NEEDED_BYTES:
            raise InfrastructureError(
                f"The hard limit of memory is {hard >> 20} MiB, below the {_NEEDED_BYTES >> 20} MiB that turnwise "
                f"itself needs: raise it (ulimit -{option} unlimited)."
            )
        if soft != resource.RLIM_INFINITY and soft < _NEEDED_BYTES:
            resource.setrlimit(kind, (_NEEDED_BYTES, hard))
    _check_threads()


def _check_threads() -> None:
    """Raise InfrastructureError where as many threads as numpy's OpenBLAS starts cannot be had.

    It would interrupt this process, which is not to be taken for Ctrl-C.
    """
    given = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or ""
    count = int(given) if given.isdigit() and len(given) < 4 else len(os.sched_getaffinity(0))
    gate = _thread.allocate_lock()

    def wait() -> None:
        with gate:
            pass

    with gate:
        try:
            for _ in range(min(count, _MOST_THREADS) - 1):
                _thread.start_new_thread(wait, ())
        except RuntimeError as error:
            raise failure_of_machine(error) or error from None


def failure_of_machine(error: Exception) -> InfrastructureError | None:
    """Return what to say where memory, threads or processes ran out, None if ``error`` is something else."""
    if isinstance(error, MemoryError):
        return InfrastructureError(
            "There is no more memory for this process: give the job more (or raise ulimit -v), then run the same "
            "line again."
        )
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return InfrastructureError(
            "No more threads can be started here: raise the limit of processes (ulimit -u), or of memory (ulimit -v)."
        )
    return None


class Interruption(BaseException):
    """The user, or the cluster, wants this process to stop."""


class Interrupter:
    """The handler of both signals, from ``listen`` until ``close``."""

    def __init__(self) -> None:
        self._is_told = False
        self._heard: list[signal.Signals] = []

    def listen(self) -> None:
        """Take the signals from now on."""
        is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        self._heard = [signal.SIGTERM] if is_ignored else [signal.SIGINT, signal.SIGTERM]
        for number in self._heard:
            signal.signal(number, self)
        sys.unraisablehook = _leave_if_swallowed

    def close(self) -> None:
        """Let the signals end the process as they end others: nothing is left to be said, or done."""
        for number in self._heard:
            signal.signal(number, signal.SIG_DFL)

    def __call__(self, _number: int, frame: FrameType | None) -> None:
        """Raise Interruption, or leave at once."""
        is_held_back_one = frame is None  # see InterruptibleRunner
        if not is_held_back_one and (self._is_told or _is_importing(frame)):
            _leave()
        self._is_told = True
        raise Interruption

    def notice(self) -> None:
        """Say that work is being ended, which may take seconds."""
        self._is_told = True
        _say(("\n" if os.isatty(2) else "") + _STOPPING)  # a progress bar has not ended its line


def say_interrupted() -> None:
    """Say what to do next."""
    _say((_SHOW_CURSOR if os.isatty(2) else "") + _SAID)


def _say(text: str) -> None:
    """Print without Python's streams, which may be what the signal came upon."""
    with suppress(OSError):
        os.write(2, text.encode())


def _leave() -> NoReturn:
    say_interrupted()
    os._exit(STATUS)


def _is_importing(frame: FrameType | None) -> bool:
    """Return whether a module is being imported: a half of one makes another error of whatever is raised in it."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _leave_if_swallowed(unraisable: Any) -> None:
    """Leave where Interruption was raised in a place that has no caller, such as a finalizer."""
    if isinstance(unraisable.exc_value, Interruption):
        _leave()
    sys.__unraisablehook__(unraisable)
