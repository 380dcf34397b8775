"""The runner: compiles one program and forks a child for each run of it; it runs nothing of it itself.

Messages on its socket: it says b"ready" or b"uncompiled" (the error text is in the stderr file). Then b"run"
forks a child that runs the program on stdin, b"call" with a descriptor one that answers calls over it, as
child.py does; either is followed by b"STATUS CPU_MICROSECONDS PEAK_KILOBYTES" once the child has ended,
which the judge brings about if need be. The child alone is untrusted; seccomp confines it before the
program's first instruction, and it holds the files, the channel of its calls, and nothing else.
"""

import fcntl
import functools
import os
import re
import signal
import socket
import sys

from turnwise.runners.execution import child
from turnwise.runners.execution.sandbox import files, finish, libc, rlimits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, ModuleType
    from typing import Any, Callable, Dict, Tuple

    from turnwise.runners.execution.sandbox.seccomp import Filter

_CALL_DESCRIPTOR = files.ARGUMENTS + 1
_DESCRIPTORS = 256  # above any that a runner has
# Programs whose output may depend on the interpreter tearing down its objects.
_NEEDS_TEARDOWN = re.compile(rb"__del__|fdopen|Buffered|TextIOWrapper|FileIO|open\s*\((?!\s*0\s*[,)])")


class Program:
    """A request for a runner, and the socket of the session."""

    def __init__(self, channel: int, request: "Dict[str, Any]", base_bytes: int, count_tasks: bool) -> None:
        self.channel = channel
        self.request = request
        self.base_bytes = base_bytes
        self.count_tasks = count_tasks


def run(program: Program, confined: "Filter", values: "ModuleType", watch_parent: bool) -> "Callable[[], object]":
    """Compile the program and serve its session; returns in each child, with what the child has to do."""
    request = program.request
    channel = socket.socket(fileno=program.channel)
    limits = {name: request[name] for name in ("memory_bytes", "file_bytes", "cpu_seconds")}
    rlimits.apply(base_bytes=program.base_bytes, count_tasks=program.count_tasks, **limits)
    source = os.pread(files.ARGUMENTS, request["source"], 0)
    prelude = os.pread(files.ARGUMENTS, request["prelude"], request["source"]).decode("utf-8")
    code = compile_program(channel, source)
    descriptor = serve(channel)
    confine(confined, watch_parent)
    if descriptor < 0:
        thorough = _NEEDS_TEARDOWN.search(source)
        return functools.partial(child.run_program if thorough else finish.run_program, code, source)
    return functools.partial(
        child.serve_calls, code, source, descriptor, request["entry_point"], values, prelude, read_arguments
    )


def compile_program(channel: socket.socket, source: bytes) -> "CodeType":
    child.prepare_interpreter(source)
    try:
        code = child.compile_source(source)
    except BaseException as error:
        os.lseek(files.STDERR, 0, os.SEEK_SET)
        child.write_all(files.STDERR, child.describe(error, source).encode("utf-8", "backslashreplace"))
        channel.send(b"uncompiled")
        os._exit(0)
    channel.send(b"ready")
    return code


def serve(channel: socket.socket) -> int:
    """Fork a child per message; returns in the child, with the descriptor of its calls or -1."""
    while True:
        message, descriptor = receive(channel)
        if not message:
            os._exit(0)
        for number in (files.STDIN, files.STDOUT, files.STDERR):
            os.lseek(number, 0, os.SEEK_SET)
            fcntl.fcntl(number, fcntl.F_SETFL, 0)  # an earlier child may have set O_APPEND
        pid = libc.raw_fork()
        if pid == 0:
            channel.detach()
            return keep_only(descriptor)
        if descriptor >= 0:
            os.close(descriptor)
        _, status, usage = os.wait4(pid, 0)
        spent = usage.ru_utime + usage.ru_stime
        channel.send(b"%d %d %d" % (status, spent * 1e6, usage.ru_maxrss))


def keep_only(descriptor: int) -> int:
    """Close all but the standard files and, for calls, the arguments and ``descriptor``; returns its new number."""
    if descriptor < 0:
        os.closerange(files.ARGUMENTS, _DESCRIPTORS)
        return -1
    os.dup2(descriptor, _CALL_DESCRIPTOR)
    os.closerange(_CALL_DESCRIPTOR + 1, _DESCRIPTORS)
    return _CALL_DESCRIPTOR


def confine(confined: "Filter", watch_parent: bool) -> None:
    if watch_parent:  # else the pid namespace sees to it
        libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
    confined.load(os.getpid())


def read_arguments() -> str:
    return os.pread(files.ARGUMENTS, os.fstat(files.ARGUMENTS).st_size, 0).decode("ascii")


def receive(channel: socket.socket) -> "Tuple[bytes, int]":
    """Return a message and the descriptor that came with it, or -1."""
    message, ancillary, _, _ = channel.recvmsg(64, socket.CMSG_SPACE(4))
    for _, _, data in ancillary:
        return message, int.from_bytes(data[:4], sys.byteorder)
    return message, -1
