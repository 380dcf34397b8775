"""What runs programs: the languages they may be written in, and the Python that is found here.

The Python is asked once for its version and numpy, which are recorded in every report. A language is a small record:
its name and the worker that holds a program. A worker compiles a program once and then runs it per test, so an
interpreted and a compiled language differ in the worker only. A compiled one needs a worker kind whose zygote starts
the compiler in one sandbox and the binary in another; there is none yet.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from turnwise.errors import TurnwiseError
from turnwise.runners.execution.interface import PYTHON, Program
from turnwise.runners.execution.process import scrubbed_environment
from turnwise.runners.execution.worker import WorkerKind

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
_ANSWER_SECONDS = 60.0
_ANSWER_BYTES = 65536
_IMPORTS_NUMPY = re.compile(rb"^[ \t]*(?:import|from)[ \t][^#\n]*\b(?:numpy|scipy|pandas)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python executable and what it says of itself."""

    path: str
    description: str


def inspect_interpreter(path: str = "") -> Interpreter:
    """Return what the interpreter is; raises TurnwiseError if unusable.

    ``path`` is a path, or a name that is looked for on PATH; default: the interpreter that runs this.
    """
    path = _find(path) if path else sys.executable
    try:
        # As programs have it: without what PYTHONPATH adds to ours, and the modules of the working folder.
        environment = scrubbed_environment("/")
        command = [path, "-I", "-c", _QUESTION]
        implementation, version, numpy, pair = json.loads(_ask(command, environment))
        is_old = tuple(pair) < _OLDEST
    except (OSError, subprocess.SubprocessError, ValueError, TypeError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it does not answer as Python does"
        raise TurnwiseError(
            f"The interpreter {path!r} does not run ({reason}): give the path of one with --interpreter."
        ) from None
    if is_old:
        raise TurnwiseError(
            f"The interpreter {path!r} is Python {version}: give one of 3.8 or newer with --interpreter."
        )
    return Interpreter(path, f"{implementation} {version}, " + (f"numpy {numpy}" if numpy else "no numpy"))


def _find(name: str) -> str:
    """Return the absolute path of an interpreter; links are kept, since an environment is known by them.

    What starts another one (pyenv's shims, which need more of our environment than programs get) is asked for it.
    """
    found = shutil.which(os.path.expanduser(name))
    if found is None:
        where = _reason_against(os.path.expanduser(name)) if os.sep in name else "there is none of that name on PATH"
        raise TurnwiseError(
            f"The interpreter {name!r} does not run ({where}): give the path of one with --interpreter."
        )
    path = os.path.abspath(found)
    with suppress(OSError, ValueError):
        started = _ask([path, "-I", "-S", "-c", "import sys; print(sys.executable)"], dict(os.environ)).strip()
        if os.path.isabs(started) and os.access(started, os.X_OK):
            return started
    return path


def _reason_against(path: str) -> str:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:  # a folder above it that is closed, above all
        return error.strerror or str(error)
    return "there is no such program file"


def _ask(command: list[str], environment: dict[str, str]) -> str:
    """Return the first of what ``command`` prints: what is no Python may print without end."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        clock = threading.Timer(_ANSWER_SECONDS, process.kill)
        clock.start()
        try:
            answer = process.stdout.read(_ANSWER_BYTES) if process.stdout else b""
        finally:
            clock.cancel()
            process.kill()
    return answer.decode("utf-8")


@dataclass(frozen=True, slots=True)
class Language:
    """``worker_kind`` gets a program and whether the interpreter has numpy."""

    name: str
    worker_kind: Callable[[Program, bool], WorkerKind]


def _python_worker(program: Program, has_numpy: bool) -> WorkerKind:
    return WorkerKind(
        writable=bool(program.input_file or program.output_file),
        numpy=has_numpy and bool(_IMPORTS_NUMPY.search(program.source)),
    )


LANGUAGES = (Language(PYTHON, _python_worker),)


def find_language(name: str) -> Language:
    """Return the language called ``name``; raises TurnwiseError naming those there are."""
    for language in LANGUAGES:
        if language.name == name:
            return language
    known = ", ".join(language.name for language in LANGUAGES)
    raise TurnwiseError(f"Unknown language {name!r}: programs can be written in {known}.")
