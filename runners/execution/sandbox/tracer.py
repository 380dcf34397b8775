"""Runs a program once and records the values of its variables before and after its basic blocks.

It is loaded as a program itself (tracing.py) and so runs confined like any: what it watches shares its process,
can forge or end its record, and gains nothing by that. Syntax of Python 3.8; no import of turnwise but blocks.py,
whose text stands before this one's. It calls no code of the program to show a value.

``trace_program`` returns [blocks executed, [[line, last line, {name: value}, {name: value}], ...]]: the first
and the last blocks that were executed, or [blocks executed, []] where the record is lost.
"""

import collections
import io
import os
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType, ModuleType
    from typing import Any, Callable, Dict, List, Optional, Tuple

    from turnwise.runners.execution.sandbox.blocks import Block, blocks_of
    from turnwise.runners.execution.sandbox.showing import ABSENT, show

NAME = "solution.py"
KEPT = 5  # blocks at the start, and as many at the end
EAGER_BLOCKS = 4000  # up to here every block's values are taken, since it may be one of the last
MAXIMUM_NAMES = 12
PIPE_BYTES = 1 << 15  # fits into any pipe


class Run:
    """One execution of a block; ``after`` is filled when the block is left."""

    __slots__ = ("after", "before", "block")

    def __init__(self, block: "Block", before: "Dict[str, str]") -> None:
        self.block = block
        self.before = before
        self.after: Optional[Dict[str, str]] = None


class Recorder:
    """Follows the blocks; ``last_from`` is the number from which runs are kept as the last ones, if known."""

    def __init__(self, scopes: "Dict[Tuple[str, int], Dict[int, Block]]", last_from: "Optional[int]") -> None:
        self.scopes = scopes
        self.last_from = last_from
        self.count = 0
        self.first: List[Run] = []
        self.last: collections.deque[Run] = collections.deque(maxlen=KEPT)
        self.lost = False

    def enter(self, block: "Block", frame: "FrameType") -> "Optional[Run]":
        number = self.count
        self.count = number + 1
        if number < KEPT:
            run = Run(block, take(block, frame))
            self.first.append(run)
            return run
        if number < EAGER_BLOCKS if self.last_from is None else number >= self.last_from:
            run = Run(block, take(block, frame))
            self.last.append(run)
            return run
        if self.last_from is None:
            self.lost = True
        return None

    def start(self, frame: "FrameType", _: str, __: object) -> "Any":
        """The global trace function: follow the frames of the program's own functions and module."""
        code = frame.f_code
        if code.co_filename != NAME:
            return None
        if frame.f_trace is not None:  # a generator goes on
            return frame.f_trace
        blocks = self.scopes.get((code.co_name, code.co_firstlineno))
        return follow(self, blocks, code) if blocks else None

    def to_list(self) -> "List[List[object]]":
        runs = [] if self.lost else self.first + list(self.last)
        return [[run.block.line, run.block.last_line, run.before, run.after or {}] for run in runs]


def follow(recorder: Recorder, blocks: "Dict[int, Block]", code: "CodeType") -> "Callable[..., Any]":
    """Return the local trace function of one frame."""
    suspends = code.co_flags & 0x2A0  # a generator, or a coroutine: leaving it is no end of its block
    current: Optional[Block] = None
    entered = 0
    run: Optional[Run] = None

    def local(frame: "FrameType", event: str, _: object) -> "Any":
        nonlocal current, entered, run
        if event == "line":
            block = blocks.get(frame.f_lineno)
            if block is None or (
                block is current and (frame.f_lineno != block.line or frame.f_lasti > entered or not block.names)
            ):
                return local
            if run is not None:
                run.after = take(run.block, frame)
            current, entered, run = block, frame.f_lasti, None
            if block.names:
                run = recorder.enter(block, frame)
        elif event == "return" and run is not None and not suspends:
            run.after = take(run.block, frame)
            run = None
        return local

    return local


def take(block: "Block", frame: "FrameType") -> "Dict[str, str]":
    """Return the shown values of the block's names in ``frame``; names without a value are left out."""
    local, whole = frame.f_locals, frame.f_globals
    found = {}
    for name in block.names:
        value = local.get(name, ABSENT)
        if value is ABSENT:
            value = whole.get(name, ABSENT)
        text = show(value)
        if text:
            found[name] = text
            if len(found) == MAXIMUM_NAMES:
                break
    return found


def trace_program(
    source: str, entry_point: str, prelude: str, stdin: str, arguments: "List[Any]", last_from: "Optional[int]"
) -> "List[Any]":
    """Run ``source`` on ``stdin``, or call its function with ``arguments``, under the recorder."""
    encoded = source.encode("utf-8", "surrogatepass")
    code = compile(encoded, NAME, "exec", dont_inherit=True)
    recorder = Recorder(blocks_of(encoded, calls_only=bool(entry_point)), last_from)
    module = new_module("solution" if entry_point else "__main__")
    if entry_point:
        exec(compile(prelude, "<prelude>", "exec"), module.__dict__)
        exec(code, module.__dict__)
        function = getattr(module, entry_point, None) or getattr(module.Solution(), entry_point)
        kept = run(recorder, lambda: function(*arguments))
    else:
        give_stdin(stdin.encode("utf-8", "surrogatepass"))
        kept = run(recorder, lambda: exec(code, module.__dict__))
    return [recorder.count, recorder.to_list() if kept else []]


def run(recorder: Recorder, work: "Callable[[], object]") -> bool:
    """Do ``work`` under the recorder; return whether it was there until the end."""
    start = recorder.start  # one bound method, to be found again
    threading.settrace(start)
    sys.settrace(start)
    try:
        work()
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
    except BaseException:
        pass  # how the program ends is known from judging it
    finally:
        kept = sys.gettrace() is start
        sys.settrace(None)
    return kept


def new_module(name: str) -> "ModuleType":
    module: ModuleType = type(sys)(name)
    module.__file__ = NAME
    sys.modules[name] = module
    return module


def give_stdin(data: bytes) -> None:
    """Make ``data`` the standard input, by its name and by its number; files cannot be made here, but pipes can."""
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    if len(data) <= PIPE_BYTES:
        write_stdin(writing, data)
    else:
        threading.Thread(target=write_stdin, args=(writing, data), daemon=True).start()
    sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False), encoding="utf-8")  # noqa: SIM115 - stays open


def write_stdin(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.close(descriptor)
