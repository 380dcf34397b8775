"""Waiting for a process: a machine without a free core is waited for, a process that is lost is not."""

import os
import select
import subprocess
import sys
import threading

import pytest

from turnwise.records.problem import Limits
from turnwise.runners.execution.interface import Ending
from turnwise.runners.execution.process import ProcessClocks, wait_between, wait_within


class BriefLimits(Limits):
    """Limits whose backstop is short enough for a test."""

    @property
    def wall_limit_seconds(self) -> float:
        """Return a tenth of a second."""
        return 0.1


class FakeClocks(ProcessClocks):
    """A process that has used nothing, and has waited for a core for so many seconds."""

    def __init__(self, waited_seconds: float) -> None:
        super().__init__(os.getpid())
        self._delay = waited_seconds

    def sample_all(self) -> None:
        """Nothing changes."""


def _wait(clocks: ProcessClocks | None, *, ready_after: float) -> Ending | None:
    read, write = os.pipe()
    poll = select.poll()
    poll.register(read, select.POLLIN)
    timer = threading.Timer(ready_after, os.write, (write, b"x"))
    timer.start()
    try:
        return wait_within(poll, BriefLimits(), cpu_start=0.0, clocks=lambda: clocks)
    finally:
        timer.cancel()
        timer.join()
        os.close(read)
        os.close(write)


def test_time_spent_waiting_for_a_core_does_not_count() -> None:
    """A starved program is waited for, longer than the backstop."""
    assert _wait(FakeClocks(60.0), ready_after=0.4) is None


@pytest.mark.parametrize("clocks", [None, FakeClocks(0.0), FakeClocks(0.1)])
def test_the_backstop_ends_every_wait(clocks: ProcessClocks | None) -> None:
    """Where no clock moves, and no process is found, wall time ends it, as the machine's fault."""
    assert _wait(clocks, ready_after=60.0) is Ending.STARVED


def test_even_waiting_for_a_core_has_an_end() -> None:
    """A process that never gets one is given up at eleven times the backstop."""
    assert _wait(FakeClocks(1e9), ready_after=60.0) is Ending.STARVED


def test_the_time_waited_for_a_core_is_the_kernels() -> None:
    """Two processes on one core wait for each other about half of the time; a new call counts anew."""
    core = {min(os.sched_getaffinity(0))}
    code = f"import os, time; os.sched_setaffinity(0, {core}); print(flush=True)\nwhile True: pass"
    pipe = subprocess.PIPE
    processes = [subprocess.Popen([sys.executable, "-c", code], stdout=pipe) for _ in range(2)]
    try:
        clocks = ProcessClocks(processes[0].pid)
        while clocks.waited_seconds < 0.2:
            assert all(process.poll() is None for process in processes)
            clocks.sample_all()
        clocks.restart_idle()
        assert clocks.waited_seconds == 0
    finally:
        for process in processes:
            process.kill()
            process.communicate()


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({}, {}, 0.0),
        ({"1": 1.0}, {"1": 1.5}, 0.5),
        ({"1": 1.0, "2": 3.0}, {"1": 1.25, "2": 3.25}, 0.5),  # they take turns
        ({}, {str(thread): 0.25 for thread in range(300)}, 0.5),  # they wait for each other
        ({"1": 1.0}, {"2": 0.5}, 0.5),  # one has ended, another begun
        ({"1": 1.0}, {"1": 0.5}, 0.0),  # a new thread under the number of an old one
    ],
)
def test_threads_that_wait_together_do_not_stop_the_idle_clock(
    before: dict[str, float], now: dict[str, float], expected: float
) -> None:
    """Their waits count up to twice the longest, so that a program cannot look starved by its own threads."""
    assert wait_between(before, now) == expected
