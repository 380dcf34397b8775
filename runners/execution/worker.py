"""Workers: each is one zygote process in its sandbox, started, asked for runners, ended; a pool keeps them.

A worker serves one program at a time. It does not judge how a run ended (sessions do) and does not decide which
tier is good enough (the executor does). When the judge dies, however it dies, the control socket ends, and
the zygote with all its processes after it.

A zygote is started by a few lines of code that name the packages of its modules, and no more. The modules import each
other by their full names, but turnwise itself must not be loaded: the interpreter may be another one, without turnwise
or what it depends on, and a program must not find it. So each package's name gets an empty module whose path is the
folder. Importing, unlike running a script by its path, also finds what is already compiled.

A worker's own pid namespace hides the numbers of its processes, so they are found as the machine numbers them. Each has
one child at a time: the worker's first process, the zygote, its runner, the runner's child.
"""

import errno
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnwise.benchmarks import values
from turnwise.errors import InfrastructureError
from turnwise.records.problem import Limits
from turnwise.runners.execution import child, sandbox
from turnwise.runners.execution.interface import Program
from turnwise.runners.execution.process import COMPILE_TIME_LIMIT_SECONDS, scrubbed_environment, with_large_stack
from turnwise.runners.execution.workspace import WorkerFiles, WorkFolder, Workspace

_START_SECONDS = 60.0
_END_SECONDS = 20.0
_MESSAGE_BYTES = 65536
_DESCRIPTORS = 5
_REMEDIES = {
    "namespaces": "allow user namespaces (sysctl user.max_user_namespaces, "
    "kernel.apparmor_restrict_unprivileged_userns)",
    "landlock": "boot a kernel of 5.13 or newer with landlock in its lsm= list",
    "seccomp": "use a kernel with seccomp filters, on x86-64 or aarch64",
}
_FULL = (errno.ENOSPC, errno.EDQUOT)
_ROOM = "make room in the folder for temporary files, or set TMPDIR to another"
# What is told apart from a rule of the machine by the number of the error.
_SCARCE = {
    errno.EMFILE: "raise the limit of open files (ulimit -n 4096)",
    errno.ENFILE: "let the machine have more open files (sysctl fs.file-max)",
    errno.EAGAIN: "raise the limit of processes (ulimit -u)",
    errno.ENOMEM: "give the job more memory, or raise the limit of address space (ulimit -v)",
    errno.ENOSPC: "allow more namespaces and mounts (sysctl user.max_user_namespaces, fs.mount-max)",
    errno.EFBIG: "raise the limit of the size of a file (ulimit -f)",
}
_START_CODE = """\
import json, sys
del sys.path[0]
for name, path in json.loads(sys.argv[3]).items():
    package = type(sys)(name)
    package.__path__ = path
    sys.modules[name] = package
del json, name, package, path
from turnwise.runners.execution.sandbox.zygote import main
main()
"""


class LayerMissingError(InfrastructureError):
    """A layer that cannot be put up here: its name, and what to do about it.

    ``is_forbidden`` is whether the machine is set up so; else something that it has little of has run out.
    """

    def __init__(self, layer: str, reason: str, number: int = 0) -> None:
        super().__init__(f"{layer}: {reason}")
        self.layer = layer
        is_full = number in _FULL and layer not in _REMEDIES  # else the kernel's own tables are
        self.is_forbidden = not is_full and (number not in _SCARCE or number == errno.ENOSPC)
        self.remedy = _ROOM if is_full else _SCARCE.get(number) or _REMEDIES.get(layer, f"allow {layer}")


@dataclass(frozen=True, slots=True)
class WorkerKind:
    """What a worker is made for: a writable folder for programs with file names, numpy loaded beforehand."""

    writable: bool = False
    numpy: bool = False


class Worker:
    """One zygote of ``tier``; raises LayerMissingError or InfrastructureError if it does not start."""

    def __init__(self, interpreter: str, tier: str, kind: WorkerKind) -> None:
        self.kind = kind
        self._folder = WorkFolder(private=kind.writable) if tier == "B" else None
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        setting = {"tier": tier, "writable": kind.writable, "numpy": kind.numpy}
        setting |= {"folder": self._folder.path if self._folder else ""}
        command = zygote_command(interpreter, control=theirs.fileno(), setting=setting)
        with theirs, tempfile.TemporaryFile() as errors:
            try:
                self._process = subprocess.Popen(
                    with_large_stack(command),
                    cwd="/",
                    env=scrubbed_environment("/"),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            except OSError as error:
                self._clean_up()
                raise InfrastructureError(f"The interpreter {interpreter!r} does not start: {error}") from None
            theirs.close()
            self._finish_start(errors.fileno())
        self.usable = True

    def _finish_start(self, errors: int) -> None:
        descriptors: list[int] = []
        answer: dict[str, Any] = {}
        self._control.settimeout(_START_SECONDS)
        with suppress(OSError, ValueError):
            message, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, _DESCRIPTORS)
            answer = json.loads(message)
            if "ready" in answer:
                answer |= json.loads(self._control.recv(_MESSAGE_BYTES) or '{"missing": "seccomp", "reason": "killed"}')
        if "ready" in answer and "missing" not in answer:
            of_files = 4 if self.kind.writable else 5
            self.files = WorkerFiles(descriptors[:of_files])
            self.workspace = Workspace(descriptors[4]) if self.kind.writable else None
            self.description = answer
            # With a pid namespace the started process only waits for the zygote, its child.
            self._generation = 0 if answer["ready"] == "B" else 1
            if descendant(self._process.pid, self._generation) is not None:
                return
            self.files.close()
            descriptors = descriptors[of_files:]
        for descriptor in descriptors:
            os.close(descriptor)
        self._clean_up()
        if "missing" in answer:
            raise LayerMissingError(answer["missing"], answer["reason"], answer.get("errno", 0))
        lines = os.pread(errors, 65536, 0).decode("utf-8", "replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")  # of a traceback
        raise InfrastructureError(f"The sandbox's first process did not start: {said[:1000]}")

    def open(self, program: Program, limits: Limits) -> socket.socket:
        """Have a runner for ``program`` and return its socket; raises OSError if the zygote is gone."""
        prelude = program.prelude.encode("utf-8")
        self.files.give_input(b"")
        self.files.give_program(program.source + prelude)
        self.files.give_source(program.source)
        seconds = 0 if program.entry_point else limits.time_limit_seconds + COMPILE_TIME_LIMIT_SECONDS
        request = {
            "source": len(program.source),
            "prelude": len(prelude),
            "entry_point": program.entry_point,
            "writer": program.writer,
            "memory_bytes": limits.memory_limit_bytes,
            "file_bytes": limits.output_limit_bytes + 1,
            "cpu_seconds": -int(-seconds // 1),
        }
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                socket.send_fds(self._control, [json.dumps(request).encode()], [theirs.fileno()])
            except OSError:
                ours.close()
                raise
        return ours

    def zygote(self) -> int | None:
        """Return the process number of the zygote, if it runs."""
        return descendant(self._process.pid, self._generation)

    def runner(self) -> int | None:
        """Return the process number of the current runner, if there is one."""
        return descendant(self._process.pid, self._generation + 1)

    def child(self) -> int | None:
        """Return the process number of the program's process, if there is one."""
        return descendant(self._process.pid, self._generation + 2)

    def kill_child(self) -> None:
        """Kill the program's process, if there is one."""
        kill_descendant(self._process.pid, self._generation + 2)

    def end(self) -> int:
        """Kill all that the sandbox runs and return how the runner had ended, as a wait status.

        Raises OSError if the zygote is gone or stuck; the worker is not usable then.
        """
        try:
            self._control.send(b"end")
            self._control.settimeout(_END_SECONDS)
            answer = self._control.recv(64)
            if not answer:
                raise OSError("the zygote ended")
            self.files.clear()  # an idle worker keeps no output in memory
            return int(answer)
        except OSError:
            self.usable = False
            raise

    def is_alive(self) -> bool:
        """Return whether the zygote still waits for requests; an idle one says nothing."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        return self.usable and not poll.poll(0) and self._process.poll() is None

    def close(self) -> None:
        """End the zygote and everything in its sandbox."""
        self.usable = False
        self._close_files()
        self._clean_up()

    def _close_files(self) -> None:
        self.files.close()
        if self.workspace:
            self.workspace.close()

    def _clean_up(self) -> None:
        self._control.close()
        if hasattr(self, "_process"):
            try:
                self._process.wait(timeout=_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._folder:
            self._folder.remove()


class WorkerPool:
    """Workers made by ``start``, by kind: idle ones are used again, dead ones replaced.

    It grows to as many workers as are in use at a time and never shrinks before it is closed; how many programs run
    at a time is the caller's to bound. Safe to use from several threads.
    """

    def __init__(self, start: Callable[[WorkerKind], Worker]) -> None:
        self._start = start
        self._idle: dict[WorkerKind, list[Worker]] = defaultdict(list)
        self._lock = threading.Lock()
        self._closed = False

    def acquire(self, kind: WorkerKind) -> Worker:
        """Return a worker for one program; raises InfrastructureError if none can be started."""
        while True:
            with self._lock:
                if self._closed:
                    raise InfrastructureError("The executor is closed: make a new one.")
                worker = self._idle[kind].pop() if self._idle[kind] else None
            if worker is None:
                return self._start(kind)
            if worker.is_alive():
                return worker
            worker.close()

    def release(self, worker: Worker) -> None:
        """Take a worker back whose program has ended, or close it if it cannot be used again."""
        with self._lock:
            keep = worker.usable and not self._closed
            if keep:
                self._idle[worker.kind].append(worker)
        if not keep:
            worker.close()

    def close(self) -> None:
        """Close all idle workers, and those in use when they come back."""
        with self._lock:
            self._closed = True
            workers = [worker for idle in self._idle.values() for worker in idle]
            self._idle.clear()
        for worker in workers:
            worker.close()


def zygote_command(interpreter: str, *, control: int, setting: dict[str, object]) -> list[str]:
    """Return the command line of a zygote; ``control`` is an inherited descriptor (see sandbox/zygote.py)."""
    packages = {
        "turnwise": [],
        "turnwise.benchmarks": [_folder_of(values.__file__)],
        "turnwise.runners": [],
        "turnwise.runners.execution": [_folder_of(child.__file__)],
        "turnwise.runners.execution.sandbox": list(sandbox.__path__),
    }
    # -S: preparation.py does what programs need of the site module.
    return [
        interpreter,
        "-s",
        "-S",
        "-W",
        "ignore",
        "-c",
        _START_CODE,
        str(control),
        json.dumps(setting),
        json.dumps(packages),
    ]


def _folder_of(path: str | None) -> str:
    return str(path).rpartition("/")[0]


def only_child(pid: int) -> int | None:
    """Return the number of the first child of the single-threaded process ``pid``, or None."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(listed[0]) if listed else None
    except ProcessLookupError:
        return None
    except FileNotFoundError:  # ended, or a kernel without CONFIG_PROC_CHILDREN
        return next(_children_by_search(pid), None) if Path(f"/proc/{pid}").exists() else None


def descendant(pid: int, generations: int) -> int | None:
    """Return the only child's only child, and so on, of ``pid``; None where the line ends before."""
    found: int | None = pid
    for _ in range(generations):
        found = only_child(found) if found is not None else None
    return found


def kill_descendant(pid: int, generations: int) -> None:
    """Kill ``descendant(pid, generations)`` if there is one; never a process that took over its number.

    ``pid`` must be a child of this process that has not been waited for, so that its number stays its own.
    """
    found = descendant(pid, generations)
    if found is None:
        return
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(found)
        try:
            if descendant(pid, generations) == found:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        finally:
            os.close(handle)


def _children_by_search(pid: int) -> Iterator[int]:
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            if int(entry.read_text().rpartition(")")[2].split()[1]) == pid:
                yield int(entry.parent.name)
