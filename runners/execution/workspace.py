"""The folder of programs that read and write files by name, emptied before every run.

With a mount namespace it is a small tmpfs; without one it is a temporary folder, whose size nothing
bounds but the file size limit and the judge's look at it. What lies in it is hostile: no link is
followed, nothing but a regular file is read.
"""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_PREFIX = "turnwise-work-"
_YOUNG_SECONDS = 60.0
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Workspace:
    """An open folder; ``descriptor`` is owned by this object."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def renew(self, name: str, data: bytes) -> None:
        """Empty the folder, then put the input file there if it has a name; raises OSError if it cannot."""
        for entry in os.listdir(self._descriptor):
            details = os.lstat(entry, dir_fd=self._descriptor)
            if stat.S_ISDIR(details.st_mode):
                shutil.rmtree(entry, dir_fd=self._descriptor)
            else:
                os.unlink(entry, dir_fd=self._descriptor)
        if name:
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
    """A temporary folder that is locked while its owner lives; making one removes those of the dead."""

    def __init__(self) -> None:
        _remove_unlocked(Path(tempfile.gettempdir()))
        self.path = tempfile.mkdtemp(prefix=_PREFIX)
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Remove the folder and all it holds."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _remove_unlocked(parent: Path) -> None:
    for path in parent.glob(_PREFIX + "*"):
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime < _YOUNG_SECONDS:
                continue  # perhaps made this instant, and about to be locked
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(descriptor)
