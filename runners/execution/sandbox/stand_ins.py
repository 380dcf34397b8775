"""What a program finds in place of parts of Python's library that would need what the sandbox refuses.

Its own priority, scheduling and cores, as it asks for them, are told back to it, and not set. A process may make itself
nicer and stay on fewer cores, and programs do. Set in earnest, a program could starve itself to look like a victim of
the machine, and where only affinity keeps a job to its cores it could leave them. So the system calls stay refused, and
the functions of ``os`` answer for the process itself what the kernel would: less is granted and shown afterwards, more
is refused with the kernel's error.

Semaphores and shared memory of multiprocessing are kept within the one process that a program is. Both are files in
/dev/shm elsewhere, which no program has. A semaphore of the C library in the process's own memory, and memory that is
mapped without a file, do the same as long as there is no second process, which is refused. So thread pools, locks,
queues and shared values work, in every tier alike, without a place to write.
"""

import ctypes
import errno
import mmap
import os
import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Set

_LOWEST = 19
_NAMES = (
    "nice getpriority setpriority sched_getaffinity sched_setaffinity sched_getscheduler sched_setscheduler "
    "sched_setparam"
)
_original: "Dict[str, Any]" = {name: getattr(os, name) for name in _NAMES.split()}
_told: "Dict[str, Any]" = {}


def answer_for_process() -> None:
    """Put this module's functions on scheduling in the place of those of ``os``."""
    _told.update(
        nice=os.getpriority(os.PRIO_PROCESS, 0), cores=os.sched_getaffinity(0), policy=os.sched_getscheduler(0)
    )
    _told["allowed"] = _told["cores"]
    for name in _original:
        setattr(os, name, globals()[name])
        setattr(posix, name, globals()[name])


def nice(increment: int) -> int:
    """Add increment to the priority of process and return the new priority."""
    if increment < 0:
        raise _refused(errno.EPERM)
    _told["nice"] = min(_told["nice"] + increment, _LOWEST)
    return int(_told["nice"])


def getpriority(which: int, who: int) -> int:
    """Return program scheduling priority."""
    own = which == os.PRIO_PROCESS and _is_own(who)
    return int(_told["nice"] if own else _original["getpriority"](which, who))


def setpriority(which: int, who: int, priority: int) -> None:
    """Set program scheduling priority."""
    if which != os.PRIO_PROCESS or not _is_own(who):
        _original["setpriority"](which, who, priority)
    elif priority < _told["nice"]:
        raise _refused(errno.EACCES)
    else:
        _told["nice"] = min(priority, _LOWEST)


def sched_getaffinity(pid: int) -> "Set[int]":
    """Return the affinity of the process identified by pid (or the current process if zero)."""
    return set(_told["cores"] if _is_own(pid) else _original["sched_getaffinity"](pid))


def sched_setaffinity(pid: int, mask: "Iterable[int]") -> None:
    """Set the CPU affinity of the process identified by pid to mask."""
    wanted = set(mask)
    if any(core < 0 for core in wanted):
        raise ValueError("negative CPU number")
    if not _is_own(pid):
        _original["sched_setaffinity"](pid, wanted)
    elif not wanted & _told["allowed"]:
        raise _refused(errno.EINVAL)
    else:
        _told["cores"] = wanted & _told["allowed"]


def sched_getscheduler(pid: int) -> int:
    """Get the scheduling policy for the process identified by pid."""
    return int(_told["policy"] if _is_own(pid) else _original["sched_getscheduler"](pid))


def sched_setscheduler(pid: int, policy: int, param: "os.sched_param") -> None:
    """Set the scheduling policy for the process identified by pid."""
    plain = policy in (os.SCHED_OTHER, os.SCHED_BATCH, os.SCHED_IDLE)
    if plain and _is_own(pid) and param.sched_priority == 0:
        _told["policy"] = policy
    else:
        _original["sched_setscheduler"](pid, policy, param)


def sched_setparam(pid: int, param: "os.sched_param") -> None:
    """Set scheduling parameters for the process identified by pid."""
    if not _is_own(pid) or param.sched_priority != 0:
        _original["sched_setparam"](pid, param)


def _is_own(pid: int) -> bool:
    return pid in (0, os.getpid())


def _refused(number: int) -> OSError:
    return OSError(number, os.strerror(number))


_SEMAPHORE_WORDS = 8  # more than a sem_t has


def keep_within_process() -> None:
    """Replace what multiprocessing makes its locks and its shared memory of."""
    try:
        import _multiprocessing  # type: ignore[import-not-found]  # an extension module, untyped
        from multiprocessing import heap
    except ImportError:  # an interpreter built without: the program's to meet
        return
    library = ctypes.CDLL(None)

    class SemLock(_multiprocessing.SemLock):  # type: ignore[misc]  # of an untyped module
        """A semaphore in memory of its own instead of one with a name."""

        def __new__(cls, kind: int, value: int, maxvalue: int, *_: object) -> "Any":
            memory = (ctypes.c_uint64 * _SEMAPHORE_WORDS)()
            library.sem_init(memory, 0, value)
            lock = cls._rebuild(ctypes.addressof(memory), kind, maxvalue, None)
            lock.memory = memory
            return lock

    def reserve(arena: "Any", size: int, fd: int = -1) -> None:
        arena.size, arena.fd = size, fd
        arena.buffer = mmap.mmap(-1, size)

    _multiprocessing.SemLock = SemLock
    setattr(heap.Arena, "__init__", reserve)  # noqa: B010 - the checker takes it for a mistake
