"""Namespaces: a worker of its own pid, mount, network, IPC and UTS namespace, made once, not per test.

Covers processes (none outside can be seen or signalled, and all die with pid 1), the file system (a small
read-only tree is the whole of it), every network and the abstract UNIX sockets, SysV and POSIX shared
memory. Does NOT cover the kernel itself: any system call reaches it, which is seccomp's part; nor CPU and
memory, which the judge watches. As root the namespaces need no user namespace, which containers without
CAP_SYS_ADMIN do; an ordinary user always does.
"""

import os

from turnwise.runners.execution import child
from turnwise.runners.execution.sandbox import files, libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, List

_NEW_MOUNTS, _NEW_UTS, _NEW_IPC, _NEW_USER, _NEW_PIDS, _NEW_NETWORK = (
    0x20000,
    0x4000000,
    0x8000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
_ALL_BUT_USER = _NEW_MOUNTS | _NEW_UTS | _NEW_IPC | _NEW_PIDS | _NEW_NETWORK
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_EXECUTE, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = (
    1,
    2,
    4,
    8,
    32,
    4096,
    16384,
    1 << 18,
)
_RELATIVE_TIMES, _RELATIVE_TIMES_SHOWN = 1 << 21, 1 << 12  # mount's number, and that of statvfs
_STAGE = "/tmp"
_INSIDE_ID = 1000
FOLDER = "/box"
FOLDER_BYTES = 16 << 20
_FOLDER_FILES = 512
READABLE_DEVICES = ("/dev/zero", "/dev/random", "/dev/urandom", "/dev/stdin")
WRITABLE_DEVICES = ("/dev/null", "/dev/stdout", "/dev/stderr")
_OF_DESCRIPTORS = ("/dev/fd", "/proc/self/fd")
_HOST_DEVICES = ("/dev/null", *READABLE_DEVICES[:3])


def enter_new() -> bool:
    """Unshare everything and return whether that took a user namespace; raises OSError if it is forbidden.

    The caller is in the new pid namespace only in the children it forks from here on.
    """
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        try:
            libc.unshare(_ALL_BUT_USER)
        except PermissionError:
            pass
        else:
            return False
    libc.unshare(_ALL_BUT_USER | _NEW_USER)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", "%d %d 1" % (_INSIDE_ID, user))
    _write("/proc/self/gid_map", "%d %d 1" % (_INSIDE_ID, group))
    return True


def enter_minimal_root(readable: "Iterable[str]", *, writable: bool) -> "List[int]":
    """Make a read-only tree of ``readable`` the root, with FOLDER as the working directory.

    Returns the judge's descriptors of the worker's files.
    ``writable`` mounts a tmpfs of FOLDER_BYTES there; else the folder holds the source alone and is read-only.
    """
    libc.mount(None, "/", None, _RECURSIVE | _PRIVATE)
    sources = {path: os.path.realpath(path) for path in (*readable, *_HOST_DEVICES) if os.path.exists(path)}
    # The stage hides what lies below it, which this still leads to; one for each source could be more than there are.
    hidden = os.open(_STAGE, os.O_PATH | os.O_CLOEXEC)
    libc.mount("tmpfs", _STAGE, "tmpfs", _NO_SUID | _NO_DEVICES, "size=1m,mode=755")
    for path, source in sources.items():
        if source.startswith(_STAGE + "/"):
            source = "/proc/self/fd/%d%s" % (hidden, source[len(_STAGE) :])
        _bind(source, _STAGE + path, flags=None if path in _HOST_DEVICES else _READ_ONLY)
    os.makedirs(_STAGE + FOLDER)
    for_judge = _make_files(source=not writable)
    if writable:
        options = "size=%d,nr_inodes=%d,mode=777" % (FOLDER_BYTES, _FOLDER_FILES)
        libc.mount("tmpfs", _STAGE + FOLDER, "tmpfs", _NO_SUID | _NO_DEVICES | _NO_EXECUTE, options)
    os.makedirs(_STAGE + "/old")
    libc.syscall("pivot_root", os.fsencode(_STAGE), os.fsencode(_STAGE + "/old"))
    os.chdir("/")
    libc.unmount("/old")
    os.rmdir("/old")
    os.close(hidden)
    libc.mount(None, "/", None, _BIND | _REMOUNT | _READ_ONLY | _NO_SUID | _NO_DEVICES)
    os.chdir(FOLDER)
    return for_judge


def _make_files(*, source: bool) -> "List[int]":
    folder = _STAGE + "/files"
    os.mkdir(folder)
    libc.mount("tmpfs", folder, "tmpfs", _NO_SUID | _NO_DEVICES | _NO_EXECUTE, "size=0")
    for_judge = files.make_files(folder)
    for name in files.NAMED:
        _bind(os.path.join(folder, name), _STAGE + "/dev/" + name, flags=_READ_ONLY if name == "stdin" else 0)
    if source:
        for_judge.append(files.make_source(folder))
        _bind(os.path.join(folder, child.NAME), os.path.join(_STAGE + FOLDER, child.NAME), flags=_READ_ONLY)
    libc.unmount(folder)
    os.rmdir(folder)
    # The other names that the standard files have everywhere.
    for place in _OF_DESCRIPTORS:
        os.makedirs(_STAGE + place)
        for number, name in enumerate(files.NAMED):
            os.symlink("/dev/" + name, "%s%s/%d" % (_STAGE, place, number))
    return for_judge


def _bind(source: str, target: str, *, flags: "int | None") -> None:
    """Bind ``source``, with ``flags`` (None: as it is, for a device)."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    libc.mount(source, target, None, _BIND)
    if flags is not None:
        # What is set outside may not be cleared in a user namespace.
        kept = os.statvfs(target).f_flag & (_NO_EXECUTE | os.ST_NOATIME | os.ST_NODIRATIME | _RELATIVE_TIMES_SHOWN)
        kept = kept & ~_RELATIVE_TIMES_SHOWN | (_RELATIVE_TIMES if kept & _RELATIVE_TIMES_SHOWN else 0)
        libc.mount(None, target, None, _BIND | _REMOUNT | _NO_SUID | _NO_DEVICES | flags | kept)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
