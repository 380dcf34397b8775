"""Ctrl-C and SIGTERM: the process ends with one sentence and status 130, at whichever line they come.

The first one raises, so that files are closed and workers ended. Where that could be swallowed, or come out as another
error, and at the second one, the process is left at once: what a run has is on the disk at any moment. Ctrl-C stays
ignored where it was when the process began, as shells do it for what runs in the background (``nohup ... &``).
"""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

STATUS = 130
_SAID = "turnwise: interrupted; run the same line again to go on.\n"
_STOPPING = "turnwise: stopping; once more to stop at once.\n"
_SHOW_CURSOR = "\x1b[?25h"  # a progress bar hides it


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
