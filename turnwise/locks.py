"""Locks between processes, on file systems that know none, too.

    lock = Lock(path)    # BlockingIOError if another process has it
    ...
    lock.release()       # or the end of the process, however it comes

The system's lock on the file is taken where there is one (flock). Elsewhere (Lustre without it, FUSE) the owner says so
in a file ``.NAME.lock.1`` that it creates exclusively and touches while it lives; one that has ended, been killed on
this machine, or not touched its file for long is followed by the owner of ``.NAME.lock.2``. No such file is ever
removed, so no two processes can take one number for free. Locks do no more than keep work from being done twice.
"""

import fcntl
import json
import os
import platform
import threading
from contextlib import suppress
from pathlib import Path

BEAT_SECONDS = 20.0
LOST_SECONDS = 180.0


class Lock:
    """The lock of the file ``path``, which is created; raises BlockingIOError if another process has it."""

    def __init__(self, path: Path) -> None:
        self._owner: _OwnerFile | None = None
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise
            except OSError:
                self._owner = _OwnerFile(path)
        except BaseException:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Let others have it."""
        if self._owner is not None:
            self._owner.end()
        os.close(self._descriptor)


class _OwnerFile:
    """One number of the files that stand for a lock; raises BlockingIOError if its turn is another's."""

    def __init__(self, path: Path) -> None:
        prefix = f".{path.name}.lock."
        files = [one for one in path.parent.iterdir() if one.name.startswith(prefix)]
        numbers = [int(one.name.removeprefix(prefix)) for one in files if one.name.removeprefix(prefix).isdigit()]
        last = max(numbers, default=0)
        if last and _is_alive(path.with_name(f"{prefix}{last}")):
            raise BlockingIOError(f"{str(path)!r} is locked")
        self._path = path.with_name(f"{prefix}{last + 1}")
        try:
            _create(self._path, json.dumps(_this_process()))
        except FileExistsError:
            raise BlockingIOError(f"{str(path)!r} is locked") from None
        self._ended = threading.Event()
        threading.Thread(target=self._beat, name="lock", daemon=True).start()

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            with suppress(OSError):
                os.utime(self._path)

    def end(self) -> None:
        self._ended.set()
        with suppress(FileExistsError):
            _create(_end_of(self._path), "")


def _end_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.ended")


def _create(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        os.write(descriptor, text.encode("utf-8"))
    finally:
        os.close(descriptor)


def _this_process() -> dict[str, str]:
    return {"place": _place(), "pid": str(os.getpid()), "started": _started(os.getpid())}


def _place() -> str:
    """Return what process numbers here mean: the machine since it was started, and the namespace of processes."""
    parts = [platform.node()]
    with suppress(OSError):
        parts += [
            Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            str(Path("/proc/self/ns/pid").readlink()),
        ]
    return " ".join(parts)


def _started(pid: int) -> str:
    """Return when a process was started, "" if there is none of that number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _is_alive(path: Path) -> bool:
    if _end_of(path).exists():
        return False
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        if owner["place"] == _place():
            return bool(_started(int(owner["pid"])) == owner["started"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # killed before it had said who it is
    # Both by the file system's clock.
    clock = path.with_name(f".{os.getpid()}.clock")
    clock.touch()
    age = clock.stat().st_mtime - path.stat().st_mtime
    clock.unlink()
    return age < LOST_SECONDS
