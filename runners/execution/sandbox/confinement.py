"""The layers of a tier, put up in their order by the zygote, before it forks anything.

Namespaces come first (they need what the later layers take away), then the end of privileges, then
Landlock, which forbids mounts; the zygote loads the seccomp filter last, since even that is a system call.
"""

import os
import resource
import signal
import socket
import sys

from turnwise.runners.execution.sandbox import files, landlock, libc, namespaces, paths, privileges, rlimits, seccomp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple


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
    found = paths.find_paths()
    paths.forget_hidden_imports(found)
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    is_root = os.geteuid() == 0 and not own_user
    user = privileges.choose_id() if is_root else os.geteuid()
    tasks = rlimits.tasks_of(user) if shares_user(user, own_user) else 0
    for_judge = enter_root(found.readable, setting)
    if os.getsid(0) != os.getpid():
        os.setsid()  # killpg would reach the judge's group across pid namespaces
    owned = setting["folder"] if setting["writable"] else ""
    kept = privileges.become(user, os.__file__, owned=owned) if is_root and user else 0
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL if setting["tier"] != "B" else 0)
    privileges.drop_capabilities(keep=kept)
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
    return user < privileges.FIRST_ID


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
