"""Files written whole: under a temporary name, synced, then renamed, so that no reader sees half of one.

``commit_once`` lets only the first of several processes give a file its name: by a hard link, or where the file system
has none (FAT, BeeGFS, FUSE) by renaming a folder that holds the file, which fails if one of that name holds anything.
Such folders (NAME.commit1) stay; a process that is killed within leaves a file that ``finish_commit`` moves.

``read_whole`` reads files of others, but only what is a file, is no link and is no larger than it may be.

Paths inside a run folder, which may be somebody else's, are built by ``inside`` alone, and checked as they are built: a
name out of a run's files is one plain name, and what is there already is a folder or a file: no link, so that nothing
outside is read or written, and no pipe or device, so that nothing waits for ever. The run folder itself, and what leads
to it, is the user's to name, links included.
"""

import errno
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from turnwise.errors import TurnwiseError
from turnwise.texts import shown

_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EMLINK, errno.EACCES)
_NO_SYNC = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF)
_WAITING = "file"
_PIECE = 2**20
PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.+=-]{0,199}")
_REMEDY = "a run folder holds files and folders alone: remove it, or do not use this folder"


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` under a temporary name in the same folder, sync it, then rename it to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write_synced(temporary, text.encode("utf-8"))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name to write to; it is synced and renamed to ``path``, or removed if writing failed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    if temporary.is_symlink():  # put there by somebody: it would be followed
        temporary.unlink()
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_whole(path: Path, *, limit: int, follow: bool = True) -> bytes:
    """Return the bytes of a regular file; nothing waits for a pipe, and nothing is read of what is too large.

    Raises OSError that says why not: more than ``limit`` bytes, no file, or a link where none is to ``follow``.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            raise OSError(error.errno, "it is a link, and links are not followed", str(path)) from None
        if error.errno == errno.ENXIO:
            raise OSError(error.errno, "it is no regular file", str(path)) from None
        raise
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):  # open() would name the descriptor, and leave it open
        os.close(descriptor)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with open(descriptor, "rb") as file:  # noqa: PTH123  # a descriptor, not a path
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        data = bytearray()
        size = os.fstat(descriptor).st_size
        while size <= limit and (piece := file.read(_PIECE)):  # one read of all would take memory for the limit
            data += piece
            size = max(size, len(data))
    if size > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit / 2**20:g} MiB", str(path))
    return bytes(data)


def lines_of(file: IO[bytes], *, longest: int) -> Iterator[bytes]:
    """Yield the lines of ``file``; one of more than ``longest`` bytes is cut there, and its rest passed over."""
    while line := file.readline(longest):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(2**20)
        yield line


def write_synced(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, no link, and wait until it is on the disk; an OSError names the file."""
    try:
        with open(path, "wb", opener=_open_no_link) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk says nothing of it
        raise


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)


def sync_folder(folder: Path) -> None:
    """Wait until what was linked, renamed or removed in ``folder`` is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:  # file systems on which folders cannot be synced need it least
            raise
    finally:
        os.close(descriptor)


def commit_once(temporary: Path, final: Path) -> bool:
    """Give the synced file ``temporary`` the name ``final`` in the same folder; False if another was first.

    ``temporary`` is gone afterwards.
    """
    try:
        os.link(temporary, final)
    except (FileExistsError, FileNotFoundError):  # another may have cleared up
        is_first = False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _commit_folder(temporary, final)
    else:
        is_first = True
    temporary.unlink(missing_ok=True)
    return is_first


def finish_commit(final: Path) -> None:
    """Move what a process won the name ``final`` for, and was killed before it gave it."""
    for folder in _commits(final):
        with suppress(FileNotFoundError):
            (folder / _WAITING).rename(final)


def _commits(final: Path) -> list[Path]:
    return sorted(final.parent.glob(f"{final.stem}.commit[0-9]*"), key=lambda path: int(path.suffix[7:]))


def _commit_folder(temporary: Path, final: Path) -> bool:
    own = temporary.with_name(f"{temporary.name}dir")
    earlier = _commits(final)
    finish_commit(final)
    if final.exists():
        temporary.unlink(missing_ok=True)
        return False
    # An earlier commit without its file: somebody removed that.
    number = int(earlier[-1].suffix[7:]) + 1 if earlier else 1
    folder = final.with_name(f"{final.stem}.commit{number}")
    try:
        own.mkdir()
        write_synced(own / "owner", f"{os.getpid()}\n".encode())  # so that it is never empty
        temporary.rename(own / _WAITING)
        sync_folder(own)
        own.rename(folder)
    except FileNotFoundError:  # another has cleared up
        shutil.rmtree(own, ignore_errors=True)
        return False
    except OSError as error:
        shutil.rmtree(own, ignore_errors=True)
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        finish_commit(final)
        return False
    finish_commit(final)
    return True


def inside(folder: Path, *names: str) -> Path:
    """Return ``folder``/names...; raises TurnwiseError for a name that is none, or for a link, pipe or device there."""
    path = folder
    for name in names:
        if not PLAIN_NAME.fullmatch(name):
            raise TurnwiseError(f"{shown(name)} in the run folder {str(folder)!r} is no name of a file: do not use it.")
        path = _checked(path / name)
    return path


def files_inside(folder: Path, *, ending: str) -> list[Path]:
    """Return the files in a ``folder`` of a run whose names end in ``ending``, sorted; none where it is not there.

    Raises TurnwiseError for a link, pipe or device of such a name.
    """
    try:
        names = sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [_checked(folder / name) for name in names if name.endswith(ending) and not name.startswith(".")]


def _checked(path: Path) -> Path:
    try:
        mode = os.lstat(path).st_mode
    except OSError:  # what is not there yet can be no link
        return path
    if stat.S_ISLNK(mode):
        raise TurnwiseError(f"{str(path)!r} is a link, and links are not followed; {_REMEDY}.")
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise TurnwiseError(f"{str(path)!r} is a pipe or a device; {_REMEDY}.")
    return path
