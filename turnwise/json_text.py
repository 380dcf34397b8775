"""The one writer of the JSON that users and other programs read: no NaN and no Infinity, which JSON does not have.

Both become null: nothing is known there. Halves of characters (lone surrogates) are written as escapes, so that the
text can always be encoded.
"""

import json
import math
import re
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def json_text(data: object, *, indent: int | None = None, ensure_ascii: bool = True) -> str:
    """Return a JSON document."""
    return _written(data, indent=indent, ensure_ascii=ensure_ascii)


def json_line(data: object) -> str:
    """Return ``data`` as one line of ASCII without blanks, for files that hold a line for each thing."""
    return _written(data, separators=(",", ":"))


def _written(data: Any, **how: Any) -> str:
    try:
        text = json.dumps(data, allow_nan=False, **how)
    except ValueError:  # some number is none
        text = json.dumps(_without_nan(data), allow_nan=False, **how)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _without_nan(data: object) -> object:
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {name: _without_nan(value) for name, value in data.items()}
    return list(map(_without_nan, data)) if isinstance(data, list | tuple) else data
