"""The folder of programs that read and write files by name, emptied before every run.

With a mount namespace it is a small tmpfs; without one it is a temporary folder, whose size nothing
bounds but the file size limit and the judge's look at it. What lies in it is hostile: no link is
followed, nothing but a regular file is read.
"""

import os
import shutil
import stat
from contextlib import suppress

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
