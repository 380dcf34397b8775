"""A child process under watch: scrubbed environment, polled against limits, always killed and reaped.

It knows nothing of tests or results; ``reference`` uses it for both kinds of tasks. How a finished process is read is
one rule for every executor, so that none differs in a verdict. Linux only.

What a running process has used are its CPU clock, its idle clock and its peak memory, from /proc. A verdict must not
depend on what else the machine does, so wall time never decides. The idle clock is wall time minus the time the process
ran and minus the time its threads waited for a core (run_delay in /proc/PID/task/*/schedstat; the process-level file
shows the main thread only). Threads that wait at the same time wait for each other too, so their sum could stop the
idle clock at will: it counts up to twice the longest wait among them, and a thread can only wait as long while others
run, which the CPU clock sees.
"""

import os
import resource
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from turnwise.records.problem import Limits
from turnwise.runners.execution.interface import Ending

_WAITS = 2.0  # of threads that take turns, as Python's do
MAXIMUM_TASKS = 4096  # threads; a program with more is out to take all that the machine has
POLL_MILLISECONDS = 20
_MOST_PATIENCE = 10.0  # times the backstop, for a process that does nothing but wait for a core
# Deep recursion needs a large stack, and the main thread's is laid out at exec, so a shell sets it before.
_RAISE_STACK = 'ulimit -S -s 1048576 2>/dev/null || ulimit -S -s "$(ulimit -H -s)"; exec "$0" "$@"'
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "USER": "user",  # for getpass: nobody's name
    "LOGNAME": "user",
    "PYTHONHASHSEED": "0",
    "PYTHONINTMAXSTRDIGITS": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}
COMPILE_TIME_LIMIT_SECONDS = 10.0


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
    """Block until a polled descriptor is ready (None) or the process passes a limit, as its clocks have it.

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


def scrubbed_environment(home: str) -> dict[str, str]:
    """Return the environment of every interpreter that runs programs, whatever ours is."""
    environment = dict(_ENVIRONMENT, HOME=home)
    if "LD_LIBRARY_PATH" in os.environ:  # interpreters of environment modules do not start without it
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return environment


def with_large_stack(command: Sequence[str]) -> list[str]:
    """Return the command line that starts ``command`` with the stack that deep recursion needs."""
    return ["/bin/sh", "-c", _RAISE_STACK, *command]


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """How a reaped process ended: wait status (as os.WIFSIGNALED reads it), CPU seconds, peak bytes."""

    status: int
    cpu_seconds: float
    peak_memory_bytes: int

    @property
    def was_killed(self) -> bool:
        """Whether it was SIGKILL that ended the process."""
        return os.WIFSIGNALED(self.status) and os.WTERMSIG(self.status) == signal.SIGKILL

    def describe(self) -> str:
        """Say in words what a status other than 0 means, or "" for 0."""
        if os.WIFSIGNALED(self.status):
            number = os.WTERMSIG(self.status)
            known = number in {known.value for known in signal.Signals}
            return f"The program was killed by {signal.Signals(number).name if known else f'signal {number}'}."
        code = os.WEXITSTATUS(self.status)
        return f"The program ended with exit status {code}." if code else ""


class WatchedProcess:
    """One started process; ``wait`` until something happens, ``finish`` exactly once."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        stdin: int | IO[bytes],
        stdout: IO[bytes],
        stderr: IO[bytes],
        inherit: Sequence[int],
    ) -> None:
        self._process = subprocess.Popen(
            with_large_stack(command),
            cwd=folder,
            env=scrubbed_environment(str(folder)),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=inherit,
            start_new_session=True,
        )
        # Until its first exec the child counts our own peak as its own: below that, rusage says nothing.
        self._inherited_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self._end: ProcessEnd | None = None
        self._exit = os.pidfd_open(self._process.pid)
        self._poll = select.poll()
        self._poll.register(self._exit, select.POLLIN)
        self.clocks = ProcessClocks(self._process.pid)

    def watch(self, control: int) -> None:
        """Let ``wait`` return when the descriptor ``control`` can be read, too."""
        self._poll.register(control, select.POLLIN)

    def unwatch(self, control: int) -> None:
        """Undo ``watch``."""
        self._poll.unregister(control)

    def wait(self, limits: Limits, *, cpu_start: float) -> Ending | None:
        """Block until the process exits or a watched descriptor can be read (None), or a limit is passed.

        ``cpu_start`` is the CPU clock's value from which the time limit counts.
        """
        ending = wait_within(self._poll, limits, cpu_start=cpu_start, clocks=lambda: self.clocks)
        if ending is None:
            self.clocks.sample()
        return ending

    def finish(self) -> ProcessEnd:
        """Kill what is left of the process and its group, reap it, and say how it ended."""
        if self._end is not None:
            return self._end
        pid = self._process.pid
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._exit, signal.SIGKILL)  # does nothing to a zombie
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # still a zombie: its group cannot be another's
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        os.close(self._exit)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        peak = usage.ru_maxrss * 1024
        known = self.clocks.peak_memory_bytes
        self._end = ProcessEnd(
            status,
            usage.ru_utime + usage.ru_stime,
            max(peak, known) if peak > self._inherited_peak else known,
        )
        return self._end


def ending_of(end: ProcessEnd, limits: Limits, *, cpu_seconds: float, error: str, wrote_too_much: bool) -> Ending:
    """Return how a stdin program ended that was not stopped; ``error`` is the tail of its stderr."""
    by_signal = os.WTERMSIG(end.status) if os.WIFSIGNALED(end.status) else 0
    if cpu_seconds > limits.time_limit_seconds or by_signal == signal.SIGXCPU:
        return Ending.CPU_LIMIT
    if end.peak_memory_bytes > limits.memory_limit_bytes:
        return Ending.MEMORY_LIMIT
    if by_signal == signal.SIGXFSZ or wrote_too_much:
        return Ending.OUTPUT_LIMIT
    if by_signal == signal.SIGKILL:  # no program can end itself by it (seccomp.py): the machine is out of memory, say
        return Ending.INFRASTRUCTURE
    if not end.status:
        return Ending.FINISHED
    return Ending.MEMORY_LIMIT if ran_out_of_memory(error) else Ending.FAILED


def ran_out_of_memory(error: str) -> bool:
    """Return whether the last line of an error text is a MemoryError."""
    lines = error.rstrip().splitlines()
    return bool(lines) and lines[-1].split(":")[0].strip() == "MemoryError"
