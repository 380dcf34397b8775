"""The Python that runs programs: found, asked once for its version and numpy, recorded in every report."""

import json
import subprocess
import sys
from dataclasses import dataclass

from turnwise.errors import TurnwiseError
from turnwise.runners.execution.process import scrubbed_environment

_QUESTION = """
import json, platform, sys
try:
    from importlib.metadata import version
    numpy = version("numpy")
except Exception:
    numpy = None
print(json.dumps([platform.python_implementation(), platform.python_version(), numpy, sys.version_info[:2]]))
"""
_OLDEST = (3, 8)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python executable and what it says of itself."""

    path: str
    description: str


def inspect_interpreter(path: str = "") -> Interpreter:
    """Return what the interpreter at ``path`` (default: the running one) is; raises TurnwiseError if unusable."""
    path = path or sys.executable
    try:
        # In the environment of the programs: what PYTHONPATH adds to ours, they do not have.
        environment = scrubbed_environment("/")
        command = [path, "-s", "-c", _QUESTION]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environment)
        implementation, version, numpy, pair = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise TurnwiseError(
            f"The interpreter {path!r} does not run ({type(error).__name__}): give the path of one with --interpreter."
        ) from None
    if tuple(pair) < _OLDEST:
        raise TurnwiseError(
            f"The interpreter {path!r} is Python {version}: give one of 3.8 or newer with --interpreter."
        )
    return Interpreter(path, f"{implementation} {version}, " + (f"numpy {numpy}" if numpy else "no numpy"))
