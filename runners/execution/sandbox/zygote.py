"""The zygote: an interpreter with modules loaded, confined once, that forks a runner for each program.

Started as a script by its path, in the interpreter that runs the programs. Arguments: descriptor of the
control socket, JSON of {tier, writable, numpy, folder, values}. It answers {"ready": ...} with the
descriptors of its files, or {"missing": layer, "reason": text}. Then each request is one message:

    {"source": bytes, "prelude": bytes, ...limits} with a socket   forks a runner (runner.py) that uses it
    b"end"                                                         kills all that runs, answers its status

At the end of the control socket it leaves, and everything with it: it is pid 1 of its pid namespace, or
the death of a parent is a signal to its children. It never runs a program's code, nor does the runner.
"""

import contextlib
import fcntl
import gc
import json
import os
import resource
import signal
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

_HERE = os.path.dirname(os.path.abspath(__file__))
_PACKAGES = {
    "turnwise": [],
    "turnwise.runners": [],
    "turnwise.runners.execution": [os.path.dirname(_HERE)],
    "turnwise.runners.execution.sandbox": [_HERE],
}
# What programs import most; each costs a little at every fork, so rare ones are left to the programs.
_PRELOADED = (
    "abc array bisect collections collections.abc contextlib copy dataclasses datetime decimal enum fractions functools"
    " heapq io itertools json linecache math numbers operator os queue random re resource signal statistics string"
    " struct sys textwrap threading time traceback types typing unicodedata atexit"
).split()
_MESSAGE_BYTES = 65536


def name_packages() -> None:
    """Let the modules here import each other by their full names, without loading turnwise itself."""
    for name, path in _PACKAGES.items():
        package = type(sys)(name)
        package.__path__ = path
        sys.modules[name] = package


if __name__ == "__main__":
    name_packages()

from turnwise.runners.execution import child  # noqa: E402
from turnwise.runners.execution.sandbox import (  # noqa: E402
    files,
    landlock,
    libc,
    namespaces,
    paths,
    privileges,
    runner,
    seccomp,
)


class MissingError(Exception):
    """A layer that cannot be put up here."""


def main() -> None:
    # Out of the way of the files' numbers.
    control = socket.socket(fileno=fcntl.fcntl(int(sys.argv[1]), fcntl.F_DUPFD_CLOEXEC, 64))
    os.close(int(sys.argv[1]))
    os.dup2(files.STDIN, files.ARGUMENTS)
    setting = json.loads(sys.argv[2])
    values = child.load_values(setting["values"])
    preload(setting["numpy"])
    base_bytes = address_space_bytes()
    try:
        ready, for_judge = confine(setting, control)
        confined = seccomp.Filter(writable=setting["writable"], stack_pretends=stack_is_capped())
    except (MissingError, OSError) as error:
        layer = error.args[0] if isinstance(error, MissingError) else "privileges"
        send(control, {"missing": layer, "reason": str(error.args[-1])})
        os._exit(1)
    forget_ourselves()
    send(control, ready, for_judge)
    for descriptor in for_judge:
        os.close(descriptor)
    gc.collect()
    gc.freeze()
    gc.disable()  # a collection in the zygote or a runner would only unshare pages
    program = serve(control, base_bytes=base_bytes, count_tasks=ready["counts_tasks"])
    start = runner.run(program, confined, values, setting["tier"] == "B")
    gc.enable()
    # From here on the stack is as deep as in child.py: a program may count its frames.
    start()


def preload(numpy: bool) -> None:
    for name in _PRELOADED + (["numpy"] if numpy else []):
        __import__(name)


def confine(setting: "Dict[str, Any]", control: socket.socket) -> "Tuple[Dict[str, Any], List[int]]":
    """Put up the layers of the tier; returns what the judge is told and given, raises MissingError."""
    readable = paths.readable_paths()
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    own_user = False
    if setting["tier"] in ("A", "C"):
        own_user, for_judge = enter_namespaces(readable, setting, control)
    else:
        for_judge = files.make_files("")
        libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
        os.chdir(setting["folder"])
    if os.getsid(0) != os.getpid():
        os.setsid()  # killpg would reach the judge's group across pid namespaces
    is_root = os.geteuid() == 0 and not own_user
    if is_root:
        privileges.become_nobody(os.__file__, owned=setting["folder"] if setting["tier"] == "B" else "")
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL if setting["tier"] != "B" else 0)
    privileges.drop_capabilities()
    abi = 0
    if setting["tier"] in ("A", "B"):
        try:
            abi = landlock.restrict(
                [*readable, *namespaces.READABLE_DEVICES],
                writable_files=namespaces.WRITABLE_DEVICES,
                writable_folder=os.getcwd() if setting["writable"] else "",
            )
        except OSError as error:
            raise MissingError("landlock", str(error)) from None
    os.environ["HOME"] = os.environ["PWD"] = sys.path[0] = os.getcwd()
    counts_tasks = own_user or (is_root and os.getuid() != 0)
    if setting["writable"]:
        for_judge.append(os.open(".", os.O_RDONLY | os.O_DIRECTORY))
    ready = {"ready": setting["tier"], "landlock_abi": abi, "user_namespace": own_user, "counts_tasks": counts_tasks}
    return ready, for_judge


def enter_namespaces(
    readable: "list[str]", setting: "Dict[str, Any]", control: socket.socket
) -> "Tuple[bool, List[int]]":
    try:
        own_user = namespaces.enter_new()
        # The parent stays behind to be waited for; its end ends this process, and so the namespace.
        pid = os.fork()
        if pid:
            control.close()
            os.waitpid(pid, 0)
            os._exit(0)
        libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
        for_judge = namespaces.enter_minimal_root(readable, writable=setting["writable"])
    except OSError as error:
        raise MissingError("namespaces", str(error)) from None
    return own_user, for_judge


def stack_is_capped() -> bool:
    return resource.getrlimit(resource.RLIMIT_STACK)[1] != resource.RLIM_INFINITY


def address_space_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def forget_ourselves() -> None:
    """Leave no module of ours where a program's import could find it."""
    for name in [name for name in sys.modules if name.split(".")[0] == "turnwise"]:
        del sys.modules[name]


def serve(control: socket.socket, *, base_bytes: int, count_tasks: bool) -> "runner.Program":
    """Fork a runner for each program asked for; returns in the runner."""
    runner_pid = 0
    while True:
        message, channel = receive(control)
        if not message:
            os._exit(0)
        if message == b"end":
            control.send(b"%d" % end_all(runner_pid))
            runner_pid = 0
            continue
        request = json.loads(message)
        runner_pid = libc.raw_fork()
        if runner_pid == 0:
            control.close()
            libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
            return runner.Program(channel, request, base_bytes, count_tasks)
        os.close(channel)


def end_all(runner_pid: int) -> int:
    """Kill and reap every process of the sandbox; returns how the runner had ended."""
    status = 0
    with contextlib.suppress(ProcessLookupError):
        os.kill(runner_pid if os.getpid() != 1 else -1, signal.SIGKILL)
    while True:
        try:
            pid, ended = os.waitpid(-1, 0)
        except ChildProcessError:
            return status
        if pid == runner_pid:
            status = ended


def receive(control: socket.socket) -> "tuple[bytes, int]":
    """Return a message and the descriptor that came with it (-1 if none)."""
    message, ancillary, _, _ = control.recvmsg(_MESSAGE_BYTES, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC)
    for _, _, data in ancillary:
        return message, int.from_bytes(data[:4], sys.byteorder)
    return message, -1


def send(control: socket.socket, message: "Dict[str, Any]", descriptors: "list[int] | tuple[()]" = ()) -> None:
    data = b"".join(one.to_bytes(4, sys.byteorder) for one in descriptors)
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, data)] if data else []
    control.sendmsg([json.dumps(message).encode("ascii")], ancillary)


if __name__ == "__main__":
    main()
