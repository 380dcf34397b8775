"""The runner: compiles one program and forks a child for each run of it; it runs nothing of it itself.

Messages on its socket: it says b"ready" or b"uncompiled" (the error text is in the stderr file). Then b"run"
forks a child that runs the program on stdin, b"call" with a descriptor one that answers calls over it, as
child.py does; either is followed by b"STATUS CPU_MICROSECONDS PEAK_KILOBYTES" once the child has ended,
which the judge brings about if need be. The child alone is untrusted; seccomp confines it before the
program's first instruction, and it holds the files, the channel of its calls, and nothing else.

A stdin program leaves at once where the interpreter's own way out would change nothing. Tearing the interpreter down
unshares most of its pages; a forked child that has flushed its output may skip that. Whatever could make a difference
(threads, exit functions, another stdout or excepthook, an odd exit code, an interrupt) takes Python's own way, as in
child.py, and so do programs that may leave something for the interpreter to end (``needs_teardown``).
"""

import _thread
import atexit
import fcntl
import functools
import os
import re
import signal
import socket
import sys
from os import _exit  # a program may replace the module's

from turnwise.runners.execution import child
from turnwise.runners.execution.sandbox import files, libc, rlimits, stand_ins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, ModuleType
    from typing import Any, Callable, Dict, List

    from turnwise.runners.execution.sandbox.seccomp import Filter

_CALLS = files.ARGUMENTS + 1
_MESSAGE_BYTES = 64
_USUAL_ARGUMENTS = 4096
# What acts when it is torn down: objects with __del__ (files above all), callbacks, the C library's own buffers.
_ACTS_AT_THE_END = re.compile(
    rb"__del__|weakref|\bgc\b|ctypes|cffi|settrace|setprofile|addaudithook|_register_atexit"
    rb"|fdopen|Buffered|TextIOWrapper|FileIO|IOBase|File\b|\bopen\b(?!\s*\(\s*0\s*[,)])"
)
# A generator that has not ended is closed, which runs what waits in it.
_STOPS_WITHIN = re.compile(rb"\b(?:yield|await)\b")
_WAITS_FOR_AN_END = re.compile(rb"\b(?:finally|except|with|close)\b")

_kept: "List[object]" = []  # what a child would otherwise spend its first pages on to free


class Program:
    """A request for a runner, and the descriptor of the session's socket."""

    def __init__(self, channel: int, request: "Dict[str, Any]", base_bytes: int, other_tasks: int) -> None:
        self.channel = channel
        self.request = request
        self.base_bytes = base_bytes
        self.other_tasks = other_tasks


def run(program: Program, confined: "Filter", values: "ModuleType", watch_parent: bool) -> "Callable[[], object]":
    """Compile the program and serve its session; returns in each child, with what the child has to do."""
    request = program.request
    limits = {name: request[name] for name in ("memory_bytes", "file_bytes", "cpu_seconds")}
    rlimits.apply(base_bytes=program.base_bytes, other_tasks=program.other_tasks, **limits)
    source = os.pread(files.ARGUMENTS, request["source"], 0)
    prelude = os.pread(files.ARGUMENTS, request["prelude"], request["source"]).decode("utf-8")
    code = compile_program(program.channel, source, limits["memory_bytes"])
    start: Callable[[], object]
    if request["entry_point"]:
        start = functools.partial(
            child.serve_calls,
            code,
            source,
            _CALLS,
            request["entry_point"],
            values,
            request["writer"],
            prelude,
            read_arguments,
        )
        serve_calls(program.channel, confined)
    else:
        if needs_teardown(source):
            start = functools.partial(child.run_program, code, source)
        else:
            start = functools.partial(run_and_leave, code, source, child.main_module().__dict__)
        serve_runs(program.channel, confined)
    # From here on in a child. Every page it touches is copied first, so it touches little.
    if watch_parent:  # else the pid namespace sees to it
        libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
    own = os.getpid()
    if own != confined.pid:
        confined.expect(own)
    confined.load()
    _kept.append((program, source, prelude, limits))
    return start


def compile_program(channel: int, source: bytes, memory_bytes: int) -> "CodeType":
    child.prepare_interpreter(source, memory_bytes)
    if b"multiprocessing" in source:
        stand_ins.keep_within_process()
    try:
        code = child.compile_source(source)
    except BaseException as error:
        os.lseek(files.STDERR, 0, os.SEEK_SET)
        child.write_all(files.STDERR, child.describe(error, source).encode("utf-8", "backslashreplace"))
        os.write(channel, b"uncompiled")
        os._exit(0)
    os.write(channel, b"ready")
    return code


def serve_runs(channel: int, confined: "Filter") -> None:
    """Fork a child per message; returns in the child, which has nothing open but the standard files."""
    while os.read(channel, _MESSAGE_BYTES):
        pid = fork_rewound(confined)
        if pid == 0:
            os.close(channel)
            os.close(files.ARGUMENTS)
            return
        report(channel, pid)
    os._exit(0)


def serve_calls(channel: int, confined: "Filter") -> None:
    """Fork a child per descriptor received; returns in the child, which has it as _CALLS."""
    with socket.socket(fileno=channel) as session:
        while True:
            message, ancillary, _, _ = session.recvmsg(_MESSAGE_BYTES, socket.CMSG_SPACE(4))
            if not message:
                os._exit(0)
            descriptor = int.from_bytes(ancillary[0][2][:4], sys.byteorder)
            pid = fork_rewound(confined)
            if pid == 0:
                break
            os.close(descriptor)
            report(channel, pid)
    if descriptor != _CALLS:
        os.dup2(descriptor, _CALLS)
        os.close(descriptor)


def fork_rewound(confined: "Filter") -> int:
    """Undo what an earlier child may have done to the files' descriptions, which all share, and fork."""
    for number in (files.STDIN, files.STDOUT, files.STDERR):
        os.lseek(number, 0, os.SEEK_SET)
        fcntl.fcntl(number, fcntl.F_SETFL, 0)
    pid: int = libc.raw_fork()
    if pid < 0:  # no more processes for us: the judge's business, who sees the end of this one
        os._exit(1)
    if pid > 0 and confined.pid != pid + 1:
        confined.expect(pid + 1)  # most likely the next child's: one page less for it to copy
    return pid


def report(channel: int, pid: int) -> None:
    """Wait for the child and say how it ended."""
    _, status, usage = os.wait4(pid, 0)
    spent = usage.ru_utime + usage.ru_stime
    os.write(channel, b"%d %d %d" % (status, spent * 1e6, usage.ru_maxrss))


def read_arguments() -> str:
    data = os.pread(files.ARGUMENTS, _USUAL_ARGUMENTS, 0)
    if len(data) == _USUAL_ARGUMENTS:
        data = os.pread(files.ARGUMENTS, os.fstat(files.ARGUMENTS).st_size, 0)
    return data.decode("ascii")


def needs_teardown(source: bytes) -> bool:
    """Return whether the interpreter's own way out may do something that can be seen, by the words of the program."""
    if _ACTS_AT_THE_END.search(source):
        return True
    return bool(_STOPS_WITHIN.search(source) and _WAITS_FOR_AN_END.search(source))


def run_and_leave(code: "CodeType", source: bytes, names: "Dict[str, object]") -> None:
    """Run ``code`` in the module of ``names`` and leave, as child.run_program would."""
    try:
        exec(code, names)
    except SystemExit as error:
        status = 0 if error.code is None else error.code
        if type(status) is not int or not 0 <= status <= 255:
            child.flush_streams()
            raise
        leave(status)
    except BaseException as error:
        if sys.__dict__.get("excepthook") is not sys.__excepthook__ or isinstance(error, KeyboardInterrupt):
            child.hand_over(error, source)
            raise
        child.report(error, source)
        leave(1)
    leave(0)


def leave(status: int) -> None:
    """End the process with ``status``; raises SystemExit where Python has more to do."""
    names = sys.__dict__  # a program may delete a stream, and what it finds in builtins
    out, error = names.get("stdout"), names.get("stderr")
    if out is None or error is None or out is not names.get("__stdout__") or _thread._count() or atexit._ncallbacks():
        child.flush_streams()
        sys.exit(status)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        sys.exit(status)
    _exit(status)
