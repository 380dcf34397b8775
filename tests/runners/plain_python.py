"""A program as people run it: ``python3 solution.py`` in a folder of its own, its input and output in files."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from turnwise.runners.execution.interface import Ending, Execution
from turnwise.runners.execution.process import ProcessEnd, scrubbed_environment, with_large_stack


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program wrote to stdout, the end in words ("" for exit status 0), and its last words on stderr."""

    output: bytes
    end: str
    last_words: str


@cache
def run_plainly(source: bytes, given: bytes) -> Ran:
    """Return what becomes of ``source`` under a plain interpreter, in the environment and with the stack of a judge."""
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryFile() as stdin,
        tempfile.TemporaryFile() as stdout,
        tempfile.TemporaryFile() as stderr,
    ):
        (Path(folder) / "solution.py").write_bytes(source)
        stdin.write(given)
        stdin.seek(0)
        status = subprocess.run(
            with_large_stack([sys.executable, "-W", "ignore", "solution.py"]),
            cwd=folder,
            env=scrubbed_environment(folder),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            timeout=60,
        ).returncode
        stdout.seek(0)
        stderr.seek(0)
        wait_status = -status if status < 0 else status << 8
        assert os.waitstatus_to_exitcode(wait_status) == status
        lines = stderr.read().decode("utf-8", "replace").rstrip().splitlines()
        return Ran(stdout.read(), ProcessEnd(wait_status, 0, 0).describe(), lines[-1] if lines else "")


def as_ran(execution: Execution) -> Ran:
    """Return an execution in the same words; what passed a limit is told by the limit."""
    lines = execution.error.rstrip().splitlines()
    end = ""
    if execution.ending is Ending.FAILED:
        end = lines.pop()
    elif execution.ending is not Ending.FINISHED:
        end = str(execution.ending)
    return Ran(execution.output, end, lines[-1] if lines else "")
