"""Limits of a program under test.

Defaults where a data set gives none (ours, except the 10 s and 1 GiB of RLEF, arXiv 2410.02089 sec. 3.1):
10 s and 1 GiB for stdin programs, 4 s and 4 GiB for function-call tasks.
"""

from dataclasses import dataclass

DEFAULT_TIME_LIMIT_SECONDS = 10.0
DEFAULT_MEMORY_LIMIT_BYTES = 2**30
FUNCTION_TIME_LIMIT_SECONDS = 4.0
FUNCTION_MEMORY_LIMIT_BYTES = 4 * 2**30
FUNCTION_TIME_FACTOR = 4.0
OUTPUT_LIMIT_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one test may use: CPU seconds, peak memory, bytes of output; and how long it may sit idle."""

    time_limit_seconds: float = DEFAULT_TIME_LIMIT_SECONDS
    memory_limit_bytes: int = DEFAULT_MEMORY_LIMIT_BYTES
    output_limit_bytes: int = OUTPUT_LIMIT_BYTES

    @property
    def idle_limit_seconds(self) -> float:
        """Seconds a program may neither run nor wait for a core: max(2 s, twice the time limit)."""
        return max(2.0, 2.0 * self.time_limit_seconds)

    @property
    def wall_limit_seconds(self) -> float:
        """The backstop for starved machines, besides what a program waits for a core: it is the machine's fault."""
        return 20.0 + 10.0 * self.time_limit_seconds

    def scaled(self, time_factor: float) -> "Limits":
        """Return these limits with the time limit multiplied by ``time_factor`` (recorded in a run)."""
        return Limits(self.time_limit_seconds * time_factor, self.memory_limit_bytes, self.output_limit_bytes)
