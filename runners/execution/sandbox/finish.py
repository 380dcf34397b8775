"""Running a stdin program and leaving at once, where the interpreter's own way out would change nothing.

Tearing the interpreter down unshares most of its pages; a forked child that has flushed its output may
skip that. Whatever could make a difference (threads, exit functions, another stdout, an odd exit code)
takes Python's own way, as in child.py. Programs whose files or __del__ need it never come here.
"""

import _thread
import atexit
import sys
from os import _exit  # a program may replace the module's

from turnwise.runners.execution import child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Dict


def run_program(code: "CodeType", source: bytes, names: "Dict[str, object]") -> None:
    """Run ``code`` in the module of ``names`` and leave, as child.run_program would."""
    try:
        exec(code, names)
    except SystemExit as error:
        status = 0 if error.code is None else error.code
        if type(status) is not int or not 0 <= status <= 255:
            raise
        leave(status)
    except BaseException as error:
        child.report(error, source)
        leave(1)
    leave(0)


def leave(status: int) -> None:
    """End the process with ``status``; raises SystemExit where Python has more to do."""
    is_usual = sys.stdout is sys.__stdout__ and sys.stdout is not None and sys.stderr is not None
    if not is_usual or _thread._count() or atexit._ncallbacks():
        sys.exit(status)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        sys.exit(status)
    _exit(status)
