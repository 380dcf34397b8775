"""Waiting for a process under limits: polled, so that clocks decide and never wall time alone."""

import select
import time
from collections.abc import Callable

from turnwise.records.problem import Limits
from turnwise.runners.execution.clocks import MAXIMUM_TASKS, ProcessClocks
from turnwise.runners.execution.interface import Ending

POLL_MILLISECONDS = 20
_MOST_PATIENCE = 10.0  # times the backstop, for a process that does nothing but wait for a core


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
