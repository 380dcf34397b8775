"""Why a file or an answer cannot be read, in words: what Python raised on it, said to whoever has to mend it."""

import json
import re

from pydantic import ValidationError


def describe_damage(error: Exception) -> str:
    """Return the reason, to stand in brackets, of what reading and parsing a file raised."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'the document'}: {first['msg'].lower()}"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, UnicodeDecodeError):
        return f"it is not {error.encoding.upper()}"
    if isinstance(error, json.JSONDecodeError):
        return "it is cut off or no JSON"
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing or unknown"
    if isinstance(error, TypeError | AttributeError):
        return "a value in it is of another kind than it has to be"
    said = " ".join(str(error).split())
    return re.sub(r" is not a valid \w+$", " is unknown", said)  # of an enumeration, which has a name for us alone
