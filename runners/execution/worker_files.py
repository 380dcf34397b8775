"""The judge's side of a worker's files: what a run reads is put in, what it wrote is taken out.

The files have no name anywhere (sandbox/files.py). Between two runs they are emptied; what a hostile run did
to them ends there, since no process holds them open for writing but the one that runs.
"""

import os
from collections.abc import Sequence

_ERROR_BYTES = 64 * 1024


class WorkerFiles:
    """Descriptors of stdin, stdout, stderr, the arguments and perhaps the source, owned by this object."""

    def __init__(self, descriptors: Sequence[int]) -> None:
        self._descriptors = tuple(descriptors)
        self._stdin, self._stdout, self._stderr, self._arguments = self._descriptors[:4]
        self._source = self._descriptors[4:]
        self._argument_bytes = 0

    def give_input(self, data: bytes) -> None:
        """Make ``data`` the standard input, and what was written so far nothing."""
        _replace(self._stdin, data)
        self.clear()

    def give_source(self, data: bytes) -> None:
        """Make ``data`` what the program finds as its own file, if the worker has that file."""
        for descriptor in self._source:
            _replace(descriptor, data)

    def give_program(self, data: bytes) -> None:
        """Make ``data`` what the arguments file holds, whatever an earlier program did to it."""
        _replace(self._arguments, data)
        self._argument_bytes = len(data)

    def give_arguments(self, data: bytes) -> None:
        """Make ``data`` what the arguments file holds; its size is known, unless this very program changed it."""
        if len(data) == self._argument_bytes:
            _write(self._arguments, data)
        else:
            self.give_program(data)

    def clear(self) -> None:
        """Empty stdout and stderr."""
        for descriptor in (self._stdout, self._stderr):
            if os.fstat(descriptor).st_size:
                os.ftruncate(descriptor, 0)

    def output(self, limit: int) -> bytes:
        """Return at most ``limit`` bytes of stdout."""
        size = min(os.fstat(self._stdout).st_size, limit)
        return _read(self._stdout, size, 0) if size else b""

    def error(self) -> str:
        """Return the tail of stderr."""
        size = os.fstat(self._stderr).st_size
        start = max(0, size - _ERROR_BYTES)
        return _read(self._stderr, size - start, start).decode("utf-8", "replace") if size else ""

    def wrote_more_than(self, limit: int) -> bool:
        """Return whether stdout or stderr is larger than ``limit`` bytes."""
        # A byte there is found four times faster than the size is.
        return bool(os.pread(self._stdout, 1, limit) or os.pread(self._stderr, 1, limit))

    def close(self) -> None:
        """Give the files up."""
        for descriptor in self._descriptors:
            os.close(descriptor)


def _replace(descriptor: int, data: bytes) -> None:
    if os.fstat(descriptor).st_size != len(data):
        os.ftruncate(descriptor, len(data))
    _write(descriptor, data)


def _write(descriptor: int, data: bytes) -> None:
    view, done = memoryview(data), 0
    while done < len(view):
        done += os.pwrite(descriptor, view[done:], done)


def _read(descriptor: int, size: int, start: int) -> bytes:
    data = os.pread(descriptor, size, start)
    while len(data) < size:  # one call reads at most 2 GiB
        more = os.pread(descriptor, size - len(data), start + len(data))
        if not more:
            break
        data += more
    return data
