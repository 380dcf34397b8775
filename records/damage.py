"""Why a file or an answer cannot be read, in words: what Python raised on it, said to whoever has to mend it."""

import json
import re

from pydantic import ValidationError

from turnwise.texts import printable, shown


def describe_damage(error: Exception) -> str:
    """Return the reason, to stand in brackets, of what reading and parsing a file raised."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return printable(f"{'.'.join(map(str, first['loc'])) or 'the document'}: {first['msg'].lower()}", limit=300)
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, UnicodeDecodeError):
        return f"it is not {error.encoding.upper()}"
    if isinstance(error, json.JSONDecodeError):
        return "it is cut off or no JSON"
    if isinstance(error, KeyError):
        return f"{shown(error.args[0], limit=80)} is missing or unknown"
    if isinstance(error, TypeError | AttributeError):
        return "a value in it is of another kind than it has to be"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    said = printable(" ".join(str(error).split()), limit=300)
    return re.sub(r" is not a valid \w+$", " is unknown", said)  # of an enumeration, which has a name for us alone
