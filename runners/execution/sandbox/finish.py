"""Running a stdin program and leaving at once, where the interpreter's own way out would change nothing.

Tearing the interpreter down unshares most of its pages; a forked child that has flushed its output may
skip that. Whatever could make a difference (threads, exit functions, another stdout or excepthook, an odd exit
code, an interrupt) takes Python's own way, as in child.py. Programs that may leave something for the interpreter
to end (``needs_teardown``) never come here.
"""

import _thread
import atexit
import re
import sys
from os import _exit  # a program may replace the module's

from turnwise.runners.execution import child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Dict


# What acts when it is torn down: objects with __del__ (files above all), callbacks, the C library's own buffers.
_ACTS_AT_THE_END = re.compile(
    rb"__del__|weakref|\bgc\b|ctypes|cffi|settrace|setprofile|addaudithook|_register_atexit"
    rb"|fdopen|Buffered|TextIOWrapper|FileIO|IOBase|File\b|\bopen\b(?!\s*\(\s*0\s*[,)])"
)
# A generator that has not ended is closed, which runs what waits in it.
_STOPS_WITHIN = re.compile(rb"\b(?:yield|await)\b")
_WAITS_FOR_AN_END = re.compile(rb"\b(?:finally|except|with|close)\b")


def needs_teardown(source: bytes) -> bool:
    """Return whether the interpreter's own way out may do something that can be seen, by the words of the program."""
    if _ACTS_AT_THE_END.search(source):
        return True
    return bool(_STOPS_WITHIN.search(source) and _WAITS_FOR_AN_END.search(source))


def run_program(code: "CodeType", source: bytes, names: "Dict[str, object]") -> None:
    """Run ``code`` in the module of ``names`` and leave, as child.run_program would."""
    try:
        exec(code, names)
    except SystemExit as error:
        status = 0 if error.code is None else error.code
        if type(status) is not int or not 0 <= status <= 255:
            child.flush_streams()
            raise
        leave(status)
    except BaseException as error:
        if sys.__dict__.get("excepthook") is not sys.__excepthook__ or isinstance(error, KeyboardInterrupt):
            child.hand_over(error, source)
            raise
        child.report(error, source)
        leave(1)
    leave(0)


def leave(status: int) -> None:
    """End the process with ``status``; raises SystemExit where Python has more to do."""
    names = sys.__dict__  # a program may delete a stream, and what it finds in builtins
    out, error = names.get("stdout"), names.get("stderr")
    if out is None or error is None or out is not names.get("__stdout__") or _thread._count() or atexit._ncallbacks():
        child.flush_streams()
        sys.exit(status)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        sys.exit(status)
    _exit(status)
