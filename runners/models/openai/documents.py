"""JSON that a server sent, read within bounds: nothing in it costs more than a limit, or ends in a traceback.

A document is refused, as MalformedError, before it is parsed where it nests deeper or holds more values than an
answer can; so are numbers that JSON does not have. Knows nothing of what the document means.
"""

import json
import re
from typing import Any

MOST_LEVELS = 64
MOST_VALUES = 2_000_000

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # the last one may be cut off
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class MalformedError(Exception):
    """The answer is no chat completion, or not a whole one."""


def read_document(data: bytes) -> Any:
    """Return the JSON document in ``data``; bytes that are no UTF-8 become U+FFFD. Raises MalformedError."""
    _check_size(data)
    try:
        return json.loads(data.decode("utf-8-sig", "replace"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise MalformedError(f"it is no JSON ({error.msg} at character {error.pos})") from None
    except (ValueError, RecursionError):
        raise MalformedError("it is no JSON (it holds a number that none can be)") from None


def _check_size(data: bytes) -> None:
    """Raise MalformedError for more levels or values than an answer has; strings are taken out first."""
    openers = data.count(b"[") + data.count(b"{")
    if openers <= MOST_LEVELS and len(data) <= MOST_VALUES:
        return
    skeleton = _STRING.sub(b"", data)
    if skeleton.count(b",") + skeleton.count(b"[") + skeleton.count(b"{") > MOST_VALUES:
        raise MalformedError(f"it holds more than {MOST_VALUES} values")
    brackets = skeleton.translate(None, _NO_BRACKETS)
    for _ in range(MOST_LEVELS):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    if brackets:
        raise MalformedError(f"it is cut off, or nested deeper than {MOST_LEVELS} levels")


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)
