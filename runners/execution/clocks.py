"""What a running process has used: its CPU clock, its idle clock and its peak memory, from /proc.

A verdict must not depend on what else the machine does, so wall time never decides. The idle clock is
wall time minus the time the process ran and minus the time its threads waited for a core (run_delay in
/proc/PID/task/*/schedstat; the process-level file shows the main thread only). Threads that wait at the same time
wait for each other too, so their sum could stop the idle clock at will: it counts up to twice the longest wait among
them, and a thread can only wait as long while others run, which the CPU clock sees. Linux only.

Whoever waits for a process under limits polls it, so that these clocks decide.
"""

import select
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from turnwise.records.limits import Limits
from turnwise.runners.execution.interface import Ending

_WAITS = 2.0  # of threads that take turns, as Python's do
MAXIMUM_TASKS = 4096  # threads; a program with more is out to take all that the machine has
POLL_MILLISECONDS = 20
_MOST_PATIENCE = 10.0  # times the backstop, for a process that does nothing but wait for a core


class ProcessClocks:
    """Clocks of process ``pid``; values stay readable after its end."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._clock = (~pid << 3) | 2  # the kernel's id of that process's CPU clock, all threads
        self._wall = time.monotonic()
        self._delay = 0.0
        self._delay_before = 0.0
        self._delays: dict[str, float] = {}
        self._busy = 0.0
        self.cpu_seconds = 0.0
        self.idle_seconds = 0.0
        self.peak_memory_bytes = 0
        self.tasks = 0

    @property
    def waited_seconds(self) -> float:
        """How long the process waited for a core since the idle clock was last set to zero."""
        return self._delay - self._delay_before

    def sample(self) -> None:
        """Read the CPU clock and the peak memory; a process that just ended keeps its last values."""
        self.sample_cpu()
        with suppress(OSError):
            self.peak_memory_bytes = max(self.peak_memory_bytes, self._high_water_bytes())

    def sample_cpu(self) -> None:
        """Read the CPU clock alone, which is one system call and no file."""
        try:
            self.cpu_seconds = time.clock_gettime(self._clock)
        except OSError:  # ended: the last value stays
            return

    def sample_all(self) -> None:
        """Read the idle clock, too: what wall time the process spent neither running nor waiting to run."""
        self.sample()
        self._delay += self._new_delay_seconds()
        busy, wall = self.cpu_seconds + self._delay, time.monotonic()
        self.idle_seconds += max(0.0, (wall - self._wall) - (busy - self._busy))
        self._busy, self._wall = busy, wall

    def restart_idle(self) -> None:
        """Set the idle clock to zero: a new test or call begins in this process."""
        self.sample_cpu()
        self._busy, self._wall = self.cpu_seconds + self._delay, time.monotonic()
        self._delay_before = self._delay
        self.idle_seconds = 0.0

    def _new_delay_seconds(self) -> float:
        """Return how long the process has waited for a core since this was last asked."""
        before, self._delays = self._delays, {}
        with suppress(OSError):
            tasks = list(Path(f"/proc/{self._pid}/task").iterdir())
            self.tasks = len(tasks)
            for task in tasks[:MAXIMUM_TASKS]:
                with suppress(OSError, IndexError, ValueError):
                    self._delays[task.name] = int((task / "schedstat").read_text().split()[1]) * 1e-9
        return wait_between(before, self._delays)

    def _high_water_bytes(self) -> int:
        folder = Path(f"/proc/{self._pid}")
        found = _read_high_water(folder)
        if found is None:  # the first thread has ended, others run on
            found = max((_read_high_water(task) or 0 for task in (folder / "task").iterdir()), default=0)
        return found


def wait_between(before: Mapping[str, float], now: Mapping[str, float]) -> float:
    """Return how long a process waited for a core, from the seconds that each of its threads had waited by then."""
    waits = [max(0.0, delay - before.get(thread, 0.0)) for thread, delay in now.items()]
    return min(sum(waits), _WAITS * max(waits, default=0.0))


def _read_high_water(folder: Path) -> int | None:
    for line in (folder / "status").read_bytes().splitlines():
        if line.startswith(b"VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def wait_within(
    poll: select.poll, limits: Limits, *, cpu_start: float, clocks: Callable[[], ProcessClocks | None]
) -> Ending | None:
    """Block until a polled descriptor is ready (None) or the process passes a limit.

    ``cpu_start`` is the CPU clock's value from which the time limit counts; ``clocks`` is asked at each
    poll for the process's clocks, None while it is not there yet.
    """
    begun = time.monotonic()
    while not poll.poll(POLL_MILLISECONDS):
        known = clocks()
        patience = limits.wall_limit_seconds
        if known is not None:
            known.sample_all()
            if known.cpu_seconds - cpu_start > limits.time_limit_seconds:
                return Ending.CPU_LIMIT
            if known.peak_memory_bytes > limits.memory_limit_bytes or known.tasks > MAXIMUM_TASKS:
                return Ending.MEMORY_LIMIT
            if known.idle_seconds > limits.idle_limit_seconds:
                return Ending.IDLE_LIMIT
            patience += min(known.waited_seconds, _MOST_PATIENCE * patience)
        if time.monotonic() - begun > patience:
            return Ending.STARVED
    return None
