"""The judge's side of a worker's files and folder: what a run reads is put in, what it wrote is taken out or removed.

The files have no name anywhere (sandbox/files.py). Between two runs they are emptied; what a hostile run did to them
ends there, since no process holds them open for writing but the one that runs.

Programs that read and write files by name have a folder, emptied before every run. With a mount namespace it is a small
tmpfs; without one it is a temporary folder, whose size nothing bounds but the file size limit and the judge's look at
it. What lies in it is hostile: no link is followed, nothing but a regular file is read. It is removed whatever the
program left: any depth, any number, any mode.
Removing works on open folders, one at a time and its parent's identity in mind, so no path grows and nothing recurses;
a folder that its owner may not read or change is made readable first. Nothing may be running in it any more.
"""

import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "turnwise-work-"
_YOUNG_SECONDS = 60.0
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_ERROR_BYTES = 64 * 1024
_OPEN_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OWNERS_RIGHTS = 0o700
_FOLDERS_AT_ONCE = 4096


class Workspace:
    """An open folder; ``descriptor`` is owned by this object."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._mode = stat.S_IMODE(os.fstat(descriptor).st_mode)

    def renew(self, files: Mapping[str, bytes]) -> None:
        """Empty the folder, then put ``files`` there by their names; raises OSError if it cannot."""
        if stat.S_IMODE(os.fstat(self._descriptor).st_mode) != self._mode:
            os.fchmod(self._descriptor, self._mode)
        empty_folder(self._descriptor)
        for name, data in files.items():
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            descriptor = os.open(name, flags, 0o666, dir_fd=self._descriptor)
            with open(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o666)
                file.write(data)

    def read(self, name: str, limit: int) -> bytes | None:
        """Return at most ``limit`` bytes of the file ``name``, or None if there is no such regular file."""
        if not name:
            return None
        with suppress(OSError):
            descriptor = os.open(name, _READ_FLAGS, dir_fd=self._descriptor)
            with open(descriptor, "rb") as file:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return file.read(limit)
        return None

    def close(self) -> None:
        """Close the folder."""
        os.close(self._descriptor)


class WorkFolder:
    """A temporary folder that is locked while its owner lives; making one removes those of the dead.

    One that is not ``private`` may be read, and so be the working folder of a program with another user's rights.
    """

    def __init__(self, *, private: bool) -> None:
        _remove_unlocked(Path(tempfile.gettempdir()))
        self.path = tempfile.mkdtemp(prefix=_PREFIX)
        if not private:
            os.chmod(self.path, 0o755)
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with suppress(OSError):  # without locks nobody takes it for one that was left
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Remove the folder and all it holds."""
        remove_folder(self.path)
        os.close(self._lock)


def _remove_unlocked(parent: Path) -> None:
    for path in parent.glob(_PREFIX + "*"):
        with suppress(OSError):
            details = path.lstat()
            if os.geteuid() not in (0, details.st_uid) or time.time() - details.st_mtime < _YOUNG_SECONDS:
                continue  # another's, or perhaps made this instant and about to be locked
            descriptor = open_folder(str(path))
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_folder(str(path))
            finally:
                os.close(descriptor)


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


@dataclass(frozen=True, slots=True)
class _Above:
    """A folder above the current one: its device and inode, the current one's name in it, its other folders."""

    identity: tuple[int, int]
    name: str
    others: list[str]


def empty_folder(descriptor: int) -> None:
    """Remove everything in the open folder; raises OSError for what cannot be removed."""
    current = os.open(".", _OPEN_FLAGS, dir_fd=descriptor)
    above: list[_Above] = []
    folders: list[str] = []
    try:
        while True:
            folders = folders or _remove_files(current)
            if folders:
                name = folders.pop()
                below = open_folder(name, current)
                above.append(_Above(_identity(current), name, folders))
                os.close(current)
                current, folders = below, []
            elif above:
                last = above.pop()
                parent = os.open("..", _OPEN_FLAGS, dir_fd=current)
                os.close(current)
                current, folders = parent, last.others
                if _identity(current) != last.identity:
                    raise OSError("a folder was moved while it was removed")
                os.rmdir(last.name, dir_fd=current)
            else:
                return
    finally:
        os.close(current)


def remove_folder(path: str) -> None:
    """Remove the folder ``path`` and everything in it, as far as that can be done; raises nothing."""
    with suppress(OSError):
        descriptor = open_folder(path)
        try:
            empty_folder(descriptor)
        finally:
            os.close(descriptor)
        os.rmdir(path)


def _remove_files(descriptor: int) -> list[str]:
    """Remove what is no folder and return some of the folders, all of them if they are few."""
    folders: list[str] = []
    with os.scandir(descriptor) as entries:
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.name, dir_fd=descriptor)
            elif len(folders) < _FOLDERS_AT_ONCE:
                folders.append(entry.name)
    return folders


def open_folder(name: str, parent: int | None = None) -> int:
    """Return a descriptor of the folder, which gets all rights of its owner first; no link is followed."""
    place = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        mode = stat.S_IMODE(os.fstat(place).st_mode)
        if mode & _OWNERS_RIGHTS != _OWNERS_RIGHTS:
            os.chmod(f"/proc/self/fd/{place}", mode | _OWNERS_RIGHTS)
        return os.open(".", _OPEN_FLAGS, dir_fd=place)
    finally:
        os.close(place)


def _identity(descriptor: int) -> tuple[int, int]:
    details = os.fstat(descriptor)
    return details.st_dev, details.st_ino
