"""How a finished process is read: one rule for every executor, so that none differs in a verdict."""

import os
import signal

from turnwise.records.problem import Limits
from turnwise.runners.execution.interface import Ending
from turnwise.runners.execution.process import ProcessEnd

COMPILE_TIME_LIMIT_SECONDS = 10.0


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
