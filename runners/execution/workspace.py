"""The folder of programs that read and write files by name, emptied before every run.

With a mount namespace it is a small tmpfs; without one it is a temporary folder, whose size nothing
bounds but the file size limit and the judge's look at it. What lies in it is hostile: no link is
followed, nothing but a regular file is read.
"""

import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from turnwise.runners.execution.removal import empty_folder, open_folder, remove_folder

_PREFIX = "turnwise-work-"
_YOUNG_SECONDS = 60.0
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


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
