"""A program's own priority, scheduling and cores, as it asks for them: told back to it, and not set.

A process may make itself nicer and stay on fewer cores, and programs do. Set in earnest, a program could starve itself
to look like a victim of the machine, and where only affinity keeps a job to its cores it could leave them. So the
system calls stay refused, and the functions of ``os`` answer for the process itself what the kernel would: less
is granted and shown afterwards, more is refused with the kernel's error.
"""

import errno
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
    """Put this module's functions in the place of those of ``os``."""
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
