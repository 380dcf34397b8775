"""Yaml files that users write: what is wrong with one is said in a sentence, with the line and the remedy."""

from pathlib import Path
from typing import Any

import yaml

from turnwise.errors import TurnwiseError


def read_yaml(path: Path, what: str, *, remedy: str) -> Any:
    """Return what the file at ``path`` holds; raises TurnwiseError, which says ``what`` it is and the ``remedy``."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TurnwiseError(f"{what} {str(path)!r} cannot be read ({error.strerror}): {remedy}.") from None
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except RecursionError:
        reason = "it is nested too deeply"
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        reason = f"{line}{error.problem}"
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
    raise TurnwiseError(f"{what} {str(path)!r} is no yaml ({reason}): {remedy}.")
