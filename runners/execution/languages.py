"""Languages that programs may be written in, each a small record: its name and the worker that holds a program.

A worker compiles a program once and then runs it per test, so an interpreted and a compiled language differ
in the worker only. A compiled one needs a worker kind whose zygote starts the compiler in one sandbox and the
binary in another; there is none yet.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from turnwise.errors import TurnwiseError
from turnwise.runners.execution.interface import PYTHON, Program
from turnwise.runners.execution.worker import WorkerKind

_IMPORTS_NUMPY = re.compile(rb"^[ \t]*(?:import|from)[ \t][^#\n]*\b(?:numpy|scipy|pandas)\b", re.MULTILINE)


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
