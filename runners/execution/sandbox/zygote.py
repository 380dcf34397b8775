"""The zygote: an interpreter with modules loaded, confined once, that forks a runner for each program.

worker.py (of the judge) says how it is started, in the interpreter that runs the programs. Arguments: descriptor of the
control socket, JSON of {tier, writable, numpy, folder}. It answers {"ready": ...} with the descriptors of
its files and then CONFINED, or at any time {"missing": layer, "reason": text, "errno": number}. After that
each request is one message:

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

from turnwise.benchmarks import values
from turnwise.runners.execution.sandbox import confinement, files, libc, preparation, runner, seccomp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, NoReturn, Tuple

_MESSAGE_BYTES = 65536
CONFINED = b"{}"


def main() -> None:
    gc.disable()  # a collection in the zygote or a runner would only cost time and unshare pages
    # Out of the way of the files' numbers.
    control = socket.socket(fileno=fcntl.fcntl(int(sys.argv[1]), fcntl.F_DUPFD_CLOEXEC, 64))
    os.close(int(sys.argv[1]))
    os.dup2(files.STDIN, files.ARGUMENTS)
    setting = json.loads(sys.argv[2])
    own_user = enter_namespaces(control, setting)
    preparation.prepare(numpy=setting["numpy"])
    base_bytes = address_space_bytes()
    confined = seccomp.child_filter()
    other_tasks = put_up_layers(control, setting, own_user)
    preparation.forget_ourselves()
    gc.freeze()
    program = serve(control, base_bytes=base_bytes, other_tasks=other_tasks)
    start = runner.run(program, confined, values, setting["tier"] == "B")
    gc.enable()
    # From here on the stack is as deep as in child.py: a program may count its frames.
    start()


def enter_namespaces(control: socket.socket, setting: "Dict[str, object]") -> bool:
    """Go where the tier wants namespaces, as early as can be: the process that stays behind is small then."""
    if setting["tier"] not in ("A", "C"):
        return False
    try:
        return confinement.enter_namespaces(control)
    except confinement.MissingError as error:
        give_up(control, error.layer, error.reason, error.number)


def put_up_layers(control: socket.socket, setting: "Dict[str, Any]", own_user: bool) -> int:
    """Confine the process, tell the judge, and return how many tasks of others count as the worker's."""
    try:
        ready, for_judge = confinement.confine(setting, own_user)
        # Under the filter no descriptor can be sent; the judge waits for the word that it is loaded, too.
        send(control, ready, for_judge)
        confinement.load_filter(writable=setting["writable"])
    except confinement.MissingError as error:
        give_up(control, error.layer, error.reason, error.number)
    except OSError as error:
        give_up(control, "privileges", str(error), error.errno or 0)
    control.send(CONFINED)
    for descriptor in for_judge:
        os.close(descriptor)
    return int(ready["tasks"])


def give_up(control: socket.socket, layer: str, reason: str, number: int) -> "NoReturn":
    send(control, {"missing": layer, "reason": reason, "errno": number})
    os._exit(1)


def address_space_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def serve(control: socket.socket, *, base_bytes: int, other_tasks: int) -> "runner.Program":
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
        if runner_pid < 0:
            os._exit(1)
        if runner_pid == 0:
            control.close()
            libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
            return runner.Program(channel, request, base_bytes, other_tasks)
        os.close(channel)


def end_all(runner_pid: int) -> int:
    """Kill and reap every process of the sandbox; returns how the runner had ended."""
    status = 0
    everyone = -1 if os.getpid() == 1 else runner_pid  # whose death kills the child, where there is no namespace
    if everyone:
        with contextlib.suppress(ProcessLookupError):
            os.kill(everyone, signal.SIGKILL)
    while True:
        try:
            pid, ended = os.waitpid(-1, 0)
        except ChildProcessError:
            return status
        if pid == runner_pid:
            status = ended


def receive(control: socket.socket) -> "Tuple[bytes, int]":
    """Return a message and the descriptor that came with it (-1 if none)."""
    message, ancillary, _, _ = control.recvmsg(_MESSAGE_BYTES, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC)
    for _, _, data in ancillary:
        return message, int.from_bytes(data[:4], sys.byteorder)
    return message, -1


def send(control: socket.socket, message: "Dict[str, object]", descriptors: "list[int] | tuple[()]" = ()) -> None:
    data = b"".join(one.to_bytes(4, sys.byteorder) for one in descriptors)
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, data)] if data else []
    control.sendmsg([json.dumps(message).encode("ascii")], ancillary)


if __name__ == "__main__":
    main()
