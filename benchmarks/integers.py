"""Decimal integers of any length, without touching the interpreter's global digit limit.

CPython refuses ``int(text)`` and ``str(value)`` beyond 4,300 digits; contest data goes beyond. Raising
the limit is process-wide state, so long integers are converted here in pieces instead.
"""

_CHUNK = 4000


def parse_integer(text: str) -> int:
    """Return the integer that ``text`` (``[+-]?[0-9]+``) spells; raises ValueError for anything else."""
    digits = text.lstrip("+-")
    if len(text) - len(digits) > 1 or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"not an integer: {text[:40]!r}")
    magnitude = _parse_digits(digits)
    return -magnitude if text[0] == "-" else magnitude


def format_integer(value: int) -> str:
    """Return ``value`` in decimal, however long."""
    if value < 0:
        return "-" + format_integer(-value)
    if value.bit_length() < 3 * _CHUNK:
        return str(value)
    width = int(value.bit_length() * 0.30103) // 2 + 1
    high, low = divmod(value, 10**width)
    return format_integer(high) + format_integer(low).rjust(width, "0")


def _parse_digits(digits: str) -> int:
    if len(digits) <= _CHUNK:
        return int(digits)
    middle = len(digits) // 2
    power: int = 10 ** (len(digits) - middle)
    return _parse_digits(digits[:middle]) * power + _parse_digits(digits[middle:])
