"""The C library as the sandbox calls it: system calls by name, prctl, mounts and fork, errors as OSError.

``raw_fork`` skips Python's at-fork hooks, which touch some 150 pages and so cost more than the fork
itself. That is sound only in a process with a single thread, as the zygote and the runner are.
"""

import ctypes
import os

from turnwise.runners.execution.sandbox.syscalls import numbers_of, running_machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 8, 24, 36, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4

NUMBERS = numbers_of(running_machine())
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
# PyDLL keeps the interpreter lock: nothing is switched or re-acquired around a call in a fresh child. Without
# argtypes and errno a call makes no objects; an integer is passed as an int, bytes as their address.
_direct = ctypes.PyDLL(None)
raw_fork = _direct.fork
raw_syscall = _direct.syscall


def check(result: int, what: str) -> int:
    """Return ``result``; raises OSError naming ``what`` if it is negative."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (what, os.strerror(number)))
    return result


def syscall(name: str, *arguments: "Any") -> int:
    """Make the system call ``name``; integers are passed as unsigned longs."""
    words = [ctypes.c_ulong(item & (2**64 - 1)) if isinstance(item, int) else item for item in arguments]
    return check(_libc.syscall(ctypes.c_long(NUMBERS[name]), *words), name)


def prctl(option: int, value: int = 0, third: int = 0) -> int:
    """Set a property of the process."""
    words = [ctypes.c_ulong(item) for item in (value, third, 0, 0)]
    return check(_libc.prctl(ctypes.c_int(option), *words), "prctl %d" % option)


def mount(source: "str | None", target: str, kind: "str | None" = None, flags: int = 0, data: str = "") -> None:
    """Mount, bind or remount."""
    texts = [None if item is None else os.fsencode(item) for item in (source, target, kind)]
    check(_libc.mount(*texts, ctypes.c_ulong(flags), data.encode() or None), "mount " + target)


def unmount(target: str) -> None:
    """Detach a mount; what is open below it stays usable."""
    check(_libc.umount2(os.fsencode(target), 2), "umount " + target)


def unshare(flags: int) -> None:
    """Move into new namespaces."""
    check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def set_default_thread_stack(size: int) -> None:
    """Give threads that ask for no size a stack of ``size`` bytes; Python then still knows of no size of its own."""
    attributes = ctypes.create_string_buffer(128)  # more than a pthread_attr_t has
    _libc.pthread_attr_init(attributes)
    _libc.pthread_attr_setstacksize(attributes, ctypes.c_size_t(size))
    _libc.pthread_setattr_default_np(attributes)
