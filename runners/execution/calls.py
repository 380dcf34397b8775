"""A child that answers calls of a program's function: its channel, and its clocks per call."""

import select
import socket
import time

from turnwise.records.problem import Limits
from turnwise.runners.execution.clocks import ProcessClocks
from turnwise.runners.execution.control import ControlSocket
from turnwise.runners.execution.interface import Ending, Execution
from turnwise.runners.execution.opened_program import OpenedProgram
from turnwise.runners.execution.watch import wait_within

_MEMORY_LOOK_SECONDS = 0.005


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
