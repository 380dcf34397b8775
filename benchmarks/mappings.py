"""A yaml file that somebody wrote for us, which holds a mapping."""

from pathlib import Path
from typing import Any

import yaml

from turnwise.errors import TurnwiseError


def read_mapping(path: Path, what: str, *, otherwise: str) -> dict[Any, Any]:
    """Return the mapping in the yaml file ``path``; it is text from outside, so check its keys and values.

    Raises TurnwiseError that begins with ``what`` the file is, and ends with ``otherwise`` where it is no mapping.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise TurnwiseError(f"{what} {str(path)!r} cannot be read ({type(error).__name__}).") from None
    if not isinstance(data, dict):
        raise TurnwiseError(f"{what} {str(path)!r} {otherwise}.")
    return data
