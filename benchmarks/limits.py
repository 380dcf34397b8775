"""Every form in which data sets write time and memory limits."""

import math
import re
from typing import Any

from turnwise.texts import shown

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


def parse_time_limit(value: object) -> float | None:
    """Return seconds from None, 0, a number, {"seconds", "nanos"} or text like "2.0 seconds"; None = not given.

    Raises ValueError for anything else, negative values and what no machine keeps included.
    """
    if isinstance(value, dict):
        seconds, nanos = value.get("seconds") or 0, value.get("nanos") or 0
        if not (_is_number(seconds) and _is_number(nanos)) or set(value) - {"seconds", "nanos"}:
            raise ValueError(f"time limit {shown(value)} is not {{seconds, nanos}}")
        value = seconds + nanos * 1e-9
    return _parse_quantity(value, units=_SECONDS, what="time limit", most=_MOST_SECONDS)


def parse_memory_limit(value: object) -> int | None:
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


def _is_number(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
