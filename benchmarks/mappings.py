"""Yaml files that users write, each a mapping: what is wrong with one is said in a sentence, with line and remedy."""

from pathlib import Path
from typing import Any

import yaml

from turnwise.errors import TurnwiseError


def read_mapping(path: Path, what: str, *, otherwise: str, remedy: str) -> dict[Any, Any]:
    """Return the mapping in the yaml file ``path``; it is text from outside, so check its keys and values.

    Raises TurnwiseError that says ``what`` the file is, why it cannot be used (``otherwise`` where it is no
    mapping), and the ``remedy``.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        reason = "is no yaml (it is not UTF-8)"
    except RecursionError:
        reason = "is no yaml (it is nested too deeply)"
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        reason = f"is no yaml ({line}{error.problem})"
    except (ValueError, yaml.YAMLError) as error:
        reason = f"is no yaml ({' '.join(str(error).split())})"
    else:
        if isinstance(data, dict):
            return data
        reason = otherwise
    raise TurnwiseError(f"{what} {str(path)!r} {reason}: {remedy}.")
