"""The runs that a command is given, with a word on stderr about what is none."""

import sys
from collections.abc import Sequence
from pathlib import Path

from turnwise.exchange.runs import Found, find_all

_NAMED = 5


def runs_at(paths: Sequence[Path]) -> Found:
    """Return the runs at ``paths`` and say what was left out; raises TurnwiseError if there is none."""
    found = find_all(paths)
    if found.left_out:
        named = ", ".join(str(path) for path in found.left_out[:_NAMED])
        more = f" and {len(found.left_out) - _NAMED} more" if len(found.left_out) > _NAMED else ""
        print(f"Left out, since they are no runs and hold none: {named}{more}.", file=sys.stderr)
    return found
