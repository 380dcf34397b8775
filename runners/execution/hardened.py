"""HardenedExecutor: untrusted programs in warm, rootless sandboxes, one fork per test.

>>> with HardenedExecutor() as executor:
...     executor.tier
'A'

Tiers, best first: A is namespaces, Landlock and seccomp; B, where user namespaces are forbidden, Landlock
and seccomp; C, where the kernel has no Landlock, namespaces and seccomp. Limits, dropped privileges and a
scrubbed environment belong to each. Where none can be had it refuses to run anything.

It does NOT protect against a hole in the kernel behind the system calls that every Python program needs,
nor against what a program can learn from timing. A tier is what the layers say; canaries check that they hold.

A session is one program on one worker, its runs read as Executions. The program is compiled at the first run, by a
runner of the worker, which then reports how each child ended. A worker that fails under it makes that run an
infrastructure failure, and the next run gets another worker; nothing that fails here is blamed on the program.
"""

import os
import select
import socket
import tempfile
import time
import weakref
from collections.abc import Iterable, Iterator
from contextlib import suppress

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.choices import IsolationTier
from turnwise.records.problem import Limits
from turnwise.runners.execution.canaries import require_containment
from turnwise.runners.execution.child import NAME
from turnwise.runners.execution.control import ControlSocket, OversizeError, ProtocolError, clean_traceback, parse_error
from turnwise.runners.execution.host import InheritedLimits, need_descriptors
from turnwise.runners.execution.interface import Closable, Ending, Execution, Program, Session
from turnwise.runners.execution.interpreters import find_language, inspect_interpreter
from turnwise.runners.execution.process import (
    COMPILE_TIME_LIMIT_SECONDS,
    ProcessClocks,
    ProcessEnd,
    ending_of,
    ran_out_of_memory,
    wait_within,
)
from turnwise.runners.execution.worker import LayerMissingError, Worker, WorkerKind, WorkerPool

TIERS = tuple(tier.value for tier in IsolationTier)
_VALUE = b'{"value": '
_REPORT_SECONDS = 60.0
_ENDING_SECONDS = 1.0
_MEMORY_LOOK_SECONDS = 0.005


class HardenedExecutor(Closable):
    """Runs programs with ``interpreter`` (default: the running one) in ``tier`` (default: the best there is).

    Raises InfrastructureError naming the missing layer and the remedy if programs could escape.
    """

    name = "hardened 1"

    def __init__(self, interpreter: str = "", *, tier: str = "") -> None:
        if tier not in ("", *TIERS):
            raise TurnwiseError(f"Unknown isolation tier {tier!r}: there are {', '.join(TIERS)}.")
        _require_proc()
        _require_temporary_folder()
        need_descriptors(1)
        self._interpreter = inspect_interpreter(interpreter)
        self.inherited = InheritedLimits.read()
        self._has_numpy = "no numpy" not in self._interpreter.description
        path = self._interpreter.path
        first, self.unavailable = _start_first(path, tier)
        self.tier = str(first.description["ready"])
        self._pool = WorkerPool(lambda kind: Worker(path, self.tier, kind))
        self._pool.release(first)
        # Closed with the executor, however it goes; a dead judge's workers end by themselves.
        self._closing = weakref.finalize(self, self._pool.close)
        try:
            require_containment(self)
        except BaseException:
            self.close()
            raise

    @property
    def interpreter(self) -> str:
        """What runs the programs, numpy included."""
        return self._interpreter.description

    def start_workers(self, count: int, *, numpy: bool = True) -> None:
        """Start ``count`` workers of each usual kind now, before this process loads what none may inherit.

        Without it they start when they are needed. Without ``numpy`` only those that do not have it.
        """
        kinds = [WorkerKind(), WorkerKind(numpy=True)] if numpy and self._has_numpy else [WorkerKind()]
        for kind in kinds:
            for worker in [self._pool.acquire(kind) for _ in range(count)]:
                self._pool.release(worker)

    def open(self, program: Program, language: str, limits: Limits) -> Session:
        """Return a session for ``program``; raises TurnwiseError for a language that is not known."""
        kind = find_language(language).worker_kind(program, self._has_numpy)
        session = CallSession if program.entry_point else StdinSession
        return session(program, limits, self._pool, kind, self.inherited)

    def close(self) -> None:
        """End all workers."""
        self._closing()


def _start_first(interpreter: str, tier: str) -> tuple[Worker, dict[str, LayerMissingError]]:
    """Return a worker of the best tier there is, and what each better one lacks."""
    missing: dict[str, LayerMissingError] = {}
    for candidate in (tier,) if tier else TIERS:
        try:
            return Worker(interpreter, candidate, WorkerKind()), missing
        except LayerMissingError as error:
            missing[candidate] = error
    layers = {error.layer: error for error in missing.values()}
    reasons = "; ".join(str(error) for error in layers.values())
    remedies = "; or ".join(error.remedy for error in layers.values())
    what = f"tier {tier}" if tier else "any isolation tier"
    raise InfrastructureError(f"Programs could escape, so none is run: {what} lacks {reasons}. Remedy: {remedies}.")


def _require_proc() -> None:
    """Raise InfrastructureError where there is no /proc, by which processes are watched and confined."""
    if not os.path.exists(f"/proc/self/task/{os.getpid()}"):
        raise InfrastructureError(
            "There is no /proc here, by which programs are watched and confined, so none is run: mount it "
            "(mount -t proc proc /proc), or use a container that has it."
        )


def _require_temporary_folder() -> None:
    """Raise InfrastructureError where no temporary file can be made."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        raise InfrastructureError(
            "No folder for temporary files can be written: set TMPDIR to one, or make room in /tmp."
        ) from None


class OpenedProgram:
    """A worker with a runner for the program, from the pool and back to it."""

    def __init__(self, pool: WorkerPool, kind: WorkerKind, program: Program, limits: Limits) -> None:
        self._pool = pool
        self._limits = limits
        self.worker: Worker = pool.acquire(kind)
        try:
            self.channel = self.worker.open(program, limits)
        except OSError:
            self.worker.usable = False
            pool.release(self.worker)
            raise
        self._poll = select.poll()
        self._poll.register(self.channel, select.POLLIN)

    def await_compiled(self) -> Execution | None:
        """Wait for the compiler; returns the execution that says why there is nothing to run, or None."""
        limits = Limits(COMPILE_TIME_LIMIT_SECONDS, self._limits.memory_limit_bytes)
        found: list[ProcessClocks] = []

        def clocks() -> ProcessClocks | None:
            runner = None if found else self.worker.runner()
            if runner is not None:
                found.append(ProcessClocks(runner))
            return found[0] if found else None

        stopped = wait_within(self._poll, limits, cpu_start=0.0, clocks=clocks)
        if stopped is Ending.STARVED:
            return Execution(Ending.STARVED)
        if stopped is not None:
            return Execution(Ending.COMPILE_ERROR, error=f"Compiling the program passed its {stopped}.")
        message = self.channel.recv(64)
        if message == b"ready":
            return None
        if message == b"uncompiled":
            error = self.worker.files.error()
            return Execution(Ending.COMPILE_ERROR, error=clean_traceback(error))
        return self._describe_lost_runner()

    def _describe_lost_runner(self) -> Execution:
        end = ProcessEnd(self.worker.end(), 0.0, 0)
        if os.WIFSIGNALED(end.status) and not end.was_killed:
            return Execution(Ending.COMPILE_ERROR, error=f"Compiling crashed. {end.describe()}")
        return Execution(Ending.INFRASTRUCTURE, error=self.worker.files.error())

    def await_report(self, limits: Limits, *, cpu_start: float = 0.0) -> tuple[Ending | None, ProcessClocks | None]:
        """Wait until the runner reports a child's end; returns the limit it passed, if any, and its clocks.

        ``cpu_start`` is the CPU clock's value from which the time limit counts.
        """
        found: list[ProcessClocks] = []

        def clocks() -> ProcessClocks | None:
            known = None if found else self.child_clocks()
            if known is not None:
                found.append(known)
            return found[0] if found else None

        stopped = wait_within(self._poll, limits, cpu_start=cpu_start, clocks=clocks)
        return stopped, found[0] if found else None

    def goes_on_after(self, cpu_seconds: float) -> bool:
        """Return whether a child that should be ending, and has used so much CPU time, has not ended soon."""
        soon = Limits(_ENDING_SECONDS, self._limits.memory_limit_bytes)
        return self.await_report(soon, cpu_start=cpu_seconds)[0] is not None

    def report(self, *, kill: bool) -> ProcessEnd:
        """Return how the child ended, killing it first if asked; raises OSError or EOFError without runner."""
        if kill:
            self.worker.kill_child()
        self.channel.settimeout(_REPORT_SECONDS)
        message = self.channel.recv(64)
        if not message:
            raise EOFError("the runner ended")
        status, microseconds, kilobytes = map(int, message.split())
        return ProcessEnd(status, microseconds * 1e-6, kilobytes * 1024)

    def child_clocks(self) -> ProcessClocks | None:
        """Return clocks of the runner's child, if there is one."""
        child = self.worker.child()
        return ProcessClocks(child) if child is not None else None

    def close(self) -> None:
        """End everything that runs and give the worker back to the pool."""
        self.channel.close()
        if self.worker.usable:
            with suppress(OSError):
                self.worker.end()
        self._pool.release(self.worker)


class Calls:
    """A child that answers calls: its channel and its clocks, per call."""

    def __init__(self, opened: OpenedProgram, limits: Limits) -> None:
        self._opened = opened
        self._limits = limits
        self._clocks: ProcessClocks | None = None
        self._next_look = 0.0
        self.cpu_start = 0.0
        ours, theirs = socket.socketpair()
        self._control = ControlSocket(ours, limit=limits.output_limit_bytes)
        with theirs:
            try:
                socket.send_fds(opened.channel, [b"call"], [theirs.fileno()])
            except OSError:
                self.close()
                raise
        self._poll = select.poll()
        self._poll.register(ours, select.POLLIN)

    @property
    def cpu_seconds(self) -> float:
        return max(0.0, self._clocks.cpu_seconds - self.cpu_start) if self._clocks else 0.0

    @property
    def peak_memory_bytes(self) -> int:
        return self._clocks.peak_memory_bytes if self._clocks else 0

    def restart_clocks(self) -> None:
        """Count the CPU and idle clocks from here: a new call begins."""
        if self._clocks:
            self._clocks.restart_idle()
            self.cpu_start = self._clocks.cpu_seconds

    def exchange(self) -> bytes | Ending:
        """Ask for a result and return its line; raises EOFError or ProtocolError as ControlSocket does."""
        self._control.request()
        while True:
            stopped = wait_within(self._poll, self._limits, cpu_start=self.cpu_start, clocks=self._find_clocks)
            if stopped is not None:
                return stopped
            line = self._control.receive_answer()
            if line is not None:
                return line

    def sample(self) -> None:
        """Read the clocks once more, now that the call has returned; memory only now and then.

        In between a process gets few pages; its peak stays to be seen the next time.
        """
        clocks, now = self._find_clocks(), time.monotonic()
        if clocks is None:
            return
        if now > self._next_look:
            self._next_look = now + _MEMORY_LOOK_SECONDS
            clocks.sample()
        else:
            clocks.sample_cpu()

    def execution(self, ending: Ending, *, output: bytes = b"", error: str = "") -> Execution:
        """Return what the clocks say of the call."""
        idle = self._clocks.idle_seconds if self._clocks else 0.0
        return Execution(ending, output, error, self.cpu_seconds, idle, self.peak_memory_bytes)

    def close(self) -> None:
        """Close the judge's end of the channel."""
        self._control.close()

    def _find_clocks(self) -> ProcessClocks | None:
        if self._clocks is None:
            self._clocks = self._opened.child_clocks()
        return self._clocks


class _Session(Closable):
    """What both kinds share: the worker, the runner's socket, and how a program gets compiled."""

    def __init__(
        self, program: Program, limits: Limits, pool: WorkerPool, kind: WorkerKind, inherited: InheritedLimits
    ) -> None:
        self._program = program
        self._limits = limits
        self._pool = pool
        self._kind = kind
        self._inherited = inherited
        self._opened: OpenedProgram | None = None
        self._refused: Execution | None = None

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        """Yield one Execution per input, or a single COMPILE_ERROR."""
        for data in inputs:
            execution = self._refused or self._inherited.read_execution(self._run_once(data), self._limits)
            yield execution
            if execution.ending is Ending.COMPILE_ERROR:
                self._refused = execution
                return

    def _run_once(self, data: bytes) -> Execution:
        try:
            if self._opened is None:
                self._opened = OpenedProgram(self._pool, self._kind, self._program, self._limits)
                spoiled = self._opened.await_compiled()
                if spoiled is not None:
                    self.close()
                    return spoiled
            return self._run_compiled(self._opened, data)
        except (OSError, EOFError, InfrastructureError) as error:
            if self._opened is not None:
                self._opened.worker.usable = False
            self.close()
            return Execution(Ending.INFRASTRUCTURE, error=f"The sandbox failed: {error}")

    def _run_compiled(self, opened: OpenedProgram, data: bytes) -> Execution:
        raise NotImplementedError

    def close(self) -> None:
        """End whatever still runs and give the worker back."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


class StdinSession(_Session):
    """A program that runs once per input."""

    def _run_compiled(self, opened: OpenedProgram, data: bytes) -> Execution:
        worker, program = opened.worker, self._program
        worker.files.give_input(data)
        if worker.workspace:
            worker.workspace.renew(_files_of(program, data))
        opened.channel.send(b"run")
        stopped, clocks = opened.await_report(self._limits)
        end = opened.report(kill=stopped is not None)
        error = worker.files.error()
        limit = self._limits.output_limit_bytes
        ending = stopped or ending_of(
            end,
            self._limits,
            cpu_seconds=end.cpu_seconds,
            error=error,
            wrote_too_much=worker.files.wrote_more_than(limit),
        )
        written = worker.workspace.read(program.output_file, limit) if worker.workspace else None
        words = "" if stopped else end.describe()
        return Execution(
            ending,
            output=worker.files.output(limit) if written is None else written,
            error=clean_traceback("\n".join(filter(None, (error.rstrip("\n"), words)))) if error or words else "",
            cpu_seconds=end.cpu_seconds,
            idle_seconds=clocks.idle_seconds if clocks else 0.0,
            peak_memory_bytes=end.peak_memory_bytes,
        )


def _files_of(program: Program, data: bytes) -> dict[str, bytes]:
    """Return what lies in the folder of a program that has one, when it starts."""
    given = {program.input_file: data} if program.input_file else {}
    return {NAME: program.source} | given


class CallSession(_Session):
    """A program that is loaded once and whose function is called per input."""

    _calls: Calls | None = None

    def _run_compiled(self, opened: OpenedProgram, data: bytes) -> Execution:
        calls = self._calls
        if calls is None:
            calls = self._calls = Calls(opened, self._limits)
        else:
            calls.restart_clocks()
        opened.worker.files.give_arguments(data)
        try:
            answer = calls.exchange()
        except (EOFError, ProtocolError) as error:
            return self._fail(opened, calls, error)
        if isinstance(answer, Ending):
            self._stop(opened)
            return calls.execution(answer)
        execution = self._read(opened, calls, answer)
        if self._program.is_fresh and self._calls is not None:
            self._stop(opened)
        return execution

    def _read(self, opened: OpenedProgram, calls: Calls, line: bytes) -> Execution:
        # The value is passed on as it came: whoever decodes it finds out whether it is one.
        output = line[len(_VALUE) : -1] if line.startswith(_VALUE) else b""
        try:
            error = "" if output else clean_traceback(parse_error(line))
        except ProtocolError as problem:
            return self._fail(opened, calls, problem)
        calls.sample()
        if calls.cpu_seconds > self._limits.time_limit_seconds:
            ending = Ending.CPU_LIMIT
        elif calls.peak_memory_bytes > self._limits.memory_limit_bytes or ran_out_of_memory(error):
            ending = Ending.MEMORY_LIMIT
        elif opened.worker.files.wrote_more_than(self._limits.output_limit_bytes):
            ending = Ending.OUTPUT_LIMIT
        else:
            ending = Ending.FINISHED if output else Ending.FAILED
        if ending is Ending.MEMORY_LIMIT or ending is Ending.OUTPUT_LIMIT:
            self._stop(opened)  # what the process holds or has written must not fail the calls after it
        return calls.execution(ending, output=output if ending is Ending.FINISHED else b"", error=error)

    def _fail(self, opened: OpenedProgram, calls: Calls, error: Exception) -> Execution:
        # Its channel's end is seen before its own: it is dying, or has closed the channel and goes on.
        goes_on = not isinstance(error, EOFError) or opened.goes_on_after(calls.cpu_start + calls.cpu_seconds)
        end = self._stop(opened, kill=goes_on)
        ending = Ending.OUTPUT_LIMIT if isinstance(error, OversizeError) else Ending.FAILED
        if end.was_killed and not goes_on:
            ending = Ending.INFRASTRUCTURE  # as in process.py
        text = "The program ended before it returned a result."
        if isinstance(error, ProtocolError):
            text = f"The program wrote to the judge's channel: {error}."
        elif end.status:
            text = f"{text} {end.describe()}"
        return Execution(ending, error=text, cpu_seconds=max(0.0, end.cpu_seconds - calls.cpu_start))

    def _stop(self, opened: OpenedProgram, *, kill: bool = True) -> ProcessEnd:
        end = opened.report(kill=kill)
        self._forget()
        opened.worker.files.clear()
        return end

    def _forget(self) -> None:
        if self._calls is not None:
            self._calls.close()
            self._calls = None

    def close(self) -> None:
        """End whatever still runs and give the worker back."""
        self._forget()
        super().close()
