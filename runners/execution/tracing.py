"""Tracing a failing program: one run of it under sandbox/tracer.py, in the sandbox as any other program.

>>> trace = trace_run(executor, program, public_test_input, limits)
>>> trace.runs[0].before
{'n': '3'}

The tracer is itself run as a program, and gets the traced one, which it shares its process with, as an argument.
So a hostile program can forge its own trace or lose it, as it can print what it likes, and nothing more: what
comes back is read as data, bounded and cleaned here. The sandbox holds the input of one public test, no output.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from turnwise.benchmarks import values
from turnwise.errors import InfrastructureError
from turnwise.records.problem import Limits
from turnwise.records.report import BlockRun
from turnwise.runners.execution.interface import PYTHON, Ending, Executor, Program
from turnwise.runners.execution.sandbox import tracer
from turnwise.texts import printable

TRACE_SECONDS = 5.0  # LDB's limit
_OUTPUT_BYTES = 4 << 20
_VALUE_CHARACTERS = tracer.MAXIMUM_CHARACTERS + len(tracer.CUT)
_NAME_CHARACTERS = 40
# So that the tracer is run where numpy is loaded beforehand, as its program is.
_LOAD_NUMPY = b"\ntry:\n    import numpy\nexcept ImportError:\n    pass\n"
_MOST_RUNS = 2 * tracer.KEPT


@dataclass(frozen=True, slots=True)
class TracedRun:
    """How many runs of blocks there were, and the first and last of them."""

    executed: int
    runs: tuple[BlockRun, ...]


def trace_run(executor: Executor, program: Program, data: bytes, limits: Limits) -> TracedRun | None:
    """Return what ``program`` did on an input (as a session takes it), or None if the trace was lost.

    Lost is the trace of a program that takes too long under it, dies, switches it off, or works on files by name.
    Raises InfrastructureError if the machine failed twice.
    """
    if program.input_file or program.output_file:
        return None
    found = _trace_once(executor, program, data, limits, last_from=None)
    if found is None or found.runs or found.executed <= tracer.EAGER_BLOCKS:
        return found if found is not None and found.runs else None
    found = _trace_once(executor, program, data, limits, last_from=found.executed - tracer.KEPT)
    return found if found is not None and found.runs else None


def _trace_once(
    executor: Executor, program: Program, data: bytes, limits: Limits, *, last_from: int | None
) -> TracedRun | None:
    try:
        source = program.source.decode("utf-8", "surrogatepass")
        given = _tracer_arguments(program, source, data, last_from)
    except ValueError:  # a program in an encoding of its own, or arguments as deep as values can be
        return None
    loads_numpy = _LOAD_NUMPY if b"numpy" in program.source else b""
    watched = Program(_tracer_source() + loads_numpy, entry_point=tracer.trace_program.__name__)
    bounds = Limits(TRACE_SECONDS, limits.memory_limit_bytes, _OUTPUT_BYTES)
    for _ in range(2):
        with executor.open(watched, PYTHON, bounds) as session:
            execution = next(iter(session.run([given])))
        if execution.ending not in (Ending.STARVED, Ending.INFRASTRUCTURE):
            break
    else:
        raise InfrastructureError(f"Tracing failed: {execution.error}")
    if execution.ending is not Ending.FINISHED:
        return None
    try:
        return _read(json.loads(execution.output), source.count("\n") + source.count("\r") + 1)
    except (ValueError, TypeError, RecursionError):
        return None


def _tracer_arguments(program: Program, source: str, data: bytes, last_from: int | None) -> bytes:
    """Return what trace_program is called with; raises ValueError for what cannot be encoded."""
    stdin = "" if program.entry_point else data.decode("utf-8", "surrogatepass")
    arguments = values.loads(data.decode("ascii")) if program.entry_point else []
    given = [source, program.entry_point, program.prelude, stdin, arguments, last_from]
    return values.dumps(given).encode("ascii")


@cache
def _tracer_source() -> bytes:
    """Return the tracer as one program."""
    return Path(str(tracer.__file__)).read_bytes()


def _read(found: Any, lines: int) -> TracedRun:
    """Return what the sandbox sent as a record; raises ValueError or TypeError for anything else."""
    executed, runs = found
    if type(executed) is not int or type(runs) is not list or not 0 <= len(runs) <= min(executed, _MOST_RUNS):
        raise ValueError("no trace")
    return TracedRun(min(executed, 10**12), tuple(_read_run(run, lines) for run in runs))


def _read_run(run: Any, lines: int) -> BlockRun:
    line, last_line, before, after = run
    if type(line) is not int or type(last_line) is not int or not 1 <= line <= last_line <= lines:
        raise ValueError("no lines of the program")
    return BlockRun(line, last_line, _read_values(before), _read_values(after))


def _read_values(found: object) -> dict[str, str]:
    pairs = found["d"] if type(found) is dict and list(found) == ["d"] else None
    if type(pairs) is not list or len(pairs) > tracer.MAXIMUM_NAMES:
        raise ValueError("no variables")
    shown = {}
    for pair in pairs:
        name, text = (_text(part) for part in pair)
        if type(name) is not str or type(text) is not str or not name.isidentifier():
            raise ValueError("no variable")
        shown[name[:_NAME_CHARACTERS]] = printable(text[:_VALUE_CHARACTERS], limit=_VALUE_CHARACTERS)[
            :_VALUE_CHARACTERS
        ]
    return shown


def _text(part: object) -> object:
    """Return a text as values.py writes it, of which a lone surrogate makes something else than a JSON string."""
    return values.decode(part) if type(part) is dict and list(part) == ["u"] else part
