"""A program on a worker: its runner compiled it, and reports how each child ended.

It waits and kills by the limits it is given; what an end means for a test is read by the sessions.
"""

import os
import select
from contextlib import suppress

from turnwise.records.problem import Limits
from turnwise.runners.execution.clocks import ProcessClocks
from turnwise.runners.execution.endings import COMPILE_TIME_LIMIT_SECONDS
from turnwise.runners.execution.interface import Ending, Execution, Program
from turnwise.runners.execution.pool import WorkerPool
from turnwise.runners.execution.process import ProcessEnd
from turnwise.runners.execution.tracebacks import clean_traceback
from turnwise.runners.execution.watch import wait_within
from turnwise.runners.execution.worker import Worker, WorkerKind

_REPORT_SECONDS = 60.0
_ENDING_SECONDS = 1.0


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
