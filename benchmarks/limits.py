"""Limits of a program under test, and every form in which data sets write them.

Defaults where a data set gives none (ours, except the 10 s and 1 GiB of RLEF, arXiv 2410.02089 sec. 3.1):
10 s and 1 GiB for stdin programs, 4 s and 4 GiB for function-call tasks.
"""

import math
import re
from dataclasses import dataclass
from typing import Any

from turnwise.benchmarks.texts import shown

DEFAULT_TIME_LIMIT_SECONDS = 10.0
DEFAULT_MEMORY_LIMIT_BYTES = 2**30
FUNCTION_TIME_LIMIT_SECONDS = 4.0
FUNCTION_MEMORY_LIMIT_BYTES = 4 * 2**30
FUNCTION_TIME_FACTOR = 4.0
OUTPUT_LIMIT_BYTES = 64 * 2**20

_MOST_SECONDS = 10**6
_MOST_BYTES = 2**50
_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")
_SECONDS = {"": 1.0, "s": 1.0, "sec": 1.0, "second": 1.0, "ms": 1e-3, "millisecond": 1e-3, "minute": 60.0}
_BYTES = {
    "": 1,
    "byte": 1,
    "b": 1,
    "kb": 10**3,
    "kilobyte": 10**3,
    "mb": 10**6,
    "megabyte": 10**6,
    "gb": 10**9,
    "gigabyte": 10**9,
    "kib": 2**10,
    "kibibyte": 2**10,
    "mib": 2**20,
    "mebibyte": 2**20,
    "gib": 2**30,
    "gibibyte": 2**30,
}


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

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object that ``from_json`` reads."""
        return {
            "time_limit_seconds": self.time_limit_seconds,
            "memory_limit_bytes": self.memory_limit_bytes,
            "output_limit_bytes": self.output_limit_bytes,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Limits":
        """Return the limits that ``to_json`` wrote."""
        return cls(
            float(data["time_limit_seconds"]),
            int(data["memory_limit_bytes"]),
            int(data.get("output_limit_bytes", OUTPUT_LIMIT_BYTES)),
        )


def parse_time_limit(value: Any) -> float | None:
    """Return seconds from None, 0, a number, {"seconds", "nanos"} or text like "2.0 seconds"; None = not given.

    Raises ValueError for anything else, negative values and what no machine keeps included.
    """
    if isinstance(value, dict):
        seconds, nanos = value.get("seconds") or 0, value.get("nanos") or 0
        if not (_is_number(seconds) and _is_number(nanos)) or set(value) - {"seconds", "nanos"}:
            raise ValueError(f"time limit {shown(value)} is not {{seconds, nanos}}")
        value = seconds + nanos * 1e-9
    return _parse_quantity(value, units=_SECONDS, what="time limit", most=_MOST_SECONDS)


def parse_memory_limit(value: Any) -> int | None:
    """Return bytes from None, 0, a number or text like "256.0 megabytes" (10**6 each); None = not given.

    Raises ValueError for anything else, negative values and what no machine keeps included.
    """
    size = _parse_quantity(value, units=_BYTES, what="memory limit", most=_MOST_BYTES)
    return None if size is None else round(size)


def _parse_quantity(value: Any, *, units: dict[str, Any], what: str, most: int) -> float | None:
    if value is None:
        return None
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(value)
        unit = match[2].lower() if match else ""
        unit = unit if unit in units else unit.removesuffix("s")
        if not value.strip():
            return None
        if match is None or unit not in units:
            raise ValueError(f"{what} {shown(value)} is not a quantity such as '2.0 seconds' or '256.0 megabytes'")
        value = float(match[1]) * units[unit]
    if not _is_number(value) or value < 0:
        raise ValueError(f"{what} {shown(value)} is not a number >= 0")
    if value > most:
        raise ValueError(f"{what} {shown(value)} is more than any machine keeps ({most})")
    return float(value) or None


def _is_number(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
