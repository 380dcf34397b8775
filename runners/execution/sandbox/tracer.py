"""Runs a program once and records the values of its variables before and after its basic blocks.

It is loaded as a program itself (tracing.py) and so runs confined like any: what it watches shares its process,
can forge or end its record, and gains nothing by that. Syntax of Python 3.8; no import of turnwise, since the text of
this file is all that is run.

``trace_program`` returns [blocks executed, [[line, last line, {name: value}, {name: value}], ...]]: the first
and the last blocks that were executed, or [blocks executed, []] where the record is lost.

Basic blocks are straight runs of statements, entered at the top and left at the bottom. A condition ends the block it
stands in; the head of a loop is a block of its own, since two ways lead to it; a body, an else, a handler and what
follows a compound statement begin new ones. Imports and definitions show no values and make no block.

Values are shown as Python's own text of built-in values, cut in the middle: a text of more than 100 characters keeps
its first and last 50, as LDB has it. No code of the program is run for it. Only types that are built in are looked
into, by their exact type; an object of the program's classes is shown by its class and its plain attributes.
"""

import array
import ast
import collections
import decimal
import fractions
import io
import os
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType, ModuleType
    from typing import Any, Callable, Dict, Iterable, List, Optional, Set, Tuple

NAME = "solution.py"
KEPT = 5  # blocks at the start, and as many at the end
EAGER_BLOCKS = 4000  # up to here every block's values are taken, since it may be one of the last
MAXIMUM_NAMES = 12
PIPE_BYTES = 1 << 15  # fits into any pipe
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_LEAVING = (ast.Return, ast.Raise, ast.Break, ast.Continue)
MAXIMUM_CHARACTERS = 100
HALF = 50
CUT = " ... "
ABSENT = object()
_ITEMS = 60  # at each end: two characters an item at least, so more are never seen
_DEPTH = 4
_ATTRIBUTES = 6
_DIGITS = 4000
_HIDDEN = frozenset(["function", "builtin_function_or_method", "module", "type", "method", "method-wrapper", "ABCMeta"])
_PROGRAM = ("__main__", "solution")
_PLAIN = (bool, type(None), float, complex, range, decimal.Decimal, fractions.Fraction)
_BRACKETS: "Dict[object, object]" = {
    list: "[]",
    tuple: "()",
    set: "{}",
    frozenset: ("frozenset({", "})"),
    collections.deque: ("deque([", "])"),
}
_MAPPINGS: "Dict[object, object]" = {
    dict: "{}",
    collections.OrderedDict: ("OrderedDict({", "})"),
    collections.defaultdict: ("defaultdict({", "})"),
    collections.Counter: ("Counter({", "})"),
}


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


def follow(recorder: Recorder, blocks: "Dict[int, Block]", code: "CodeType") -> "Callable[..., object]":
    """Return the local trace function of one frame."""
    suspends = code.co_flags & 0x2A0  # a generator, or a coroutine: leaving it is no end of its block
    current: Optional[Block] = None
    entered = 0
    run: Optional[Run] = None

    def local(frame: "FrameType", event: str, _: object) -> "object":
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
    source: str, entry_point: str, prelude: str, stdin: str, arguments: "List[object]", last_from: "Optional[int]"
) -> "List[object]":
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


class Block:
    """Its first and last line, and the names its code mentions, in order."""

    __slots__ = ("last_line", "line", "names")

    def __init__(self, line: int) -> None:
        self.line = line
        self.last_line = line
        self.names: Tuple[str, ...] = ()

    def add(self, last_line: int, nodes: "Iterable[Optional[ast.AST]]") -> None:
        """Take in what is evaluated up to ``last_line``."""
        self.last_line = max(self.last_line, last_line)
        found = list(self.names)
        for node in nodes:
            if node is not None:
                found += [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]
        self.names = tuple(dict.fromkeys(found))


class Scope:
    """The blocks of one code object by line, as statement after statement is laid out."""

    def __init__(self) -> None:
        self.by_line: Dict[int, Block] = {}
        self._open: Optional[Block] = None

    def lay_out(self, statements: "List[ast.stmt]") -> None:
        for statement in statements:
            self._lay_out_one(statement)

    def _begin(self) -> None:
        self._open = None

    def _put(self, line: int, last_line: int, *nodes: "Optional[ast.AST]") -> None:
        self._open = self.by_line.get(line, self._open)  # two statements on one line cannot be told apart
        if self._open is None:
            self._open = Block(line)
        self._open.add(last_line, nodes)
        for number in range(line, last_line + 1):
            self.by_line.setdefault(number, self._open)

    def _body(self, statements: "List[ast.stmt]") -> None:
        self._begin()
        self.lay_out(statements)
        self._begin()

    def _lay_out_one(self, statement: "Any") -> None:
        line, end = statement.lineno, statement.end_lineno or statement.lineno
        if isinstance(statement, _DEFINITIONS):
            self._begin()
        elif _is_silent(statement):
            return
        elif isinstance(statement, (ast.If, ast.While)):
            if isinstance(statement, ast.While):
                self._begin()
            self._put(line, _end(statement.test), statement.test)
            self._body(statement.body)
            self._body(statement.orelse)
        elif isinstance(statement, (ast.For, ast.AsyncFor)):
            self._begin()
            self._put(line, _end(statement.iter), statement.target, statement.iter)
            self._body(statement.body)
            self._body(statement.orelse)
        elif isinstance(statement, (ast.With, ast.AsyncWith)):
            self._put(line, max(_end(item.optional_vars or item.context_expr) for item in statement.items))
            self.lay_out(statement.body)
        elif hasattr(statement, "finalbody"):  # try, and try with groups
            for part in (statement.body, *(one.body for one in statement.handlers), statement.orelse):
                self._body(part)
            self._body(statement.finalbody)
        elif hasattr(statement, "cases"):  # match
            self._put(line, _end(statement.subject), statement.subject)
            for case in statement.cases:
                self._body(case.body)
        else:
            self._put(line, end, statement)
            if isinstance(statement, _LEAVING):
                self._begin()


def blocks_of(source: bytes, *, calls_only: bool = False) -> "Dict[Tuple[str, int], Dict[int, Block]]":
    """Return the blocks by line of each function, and unless ``calls_only`` of the module, by name and first line."""
    tree = ast.parse(source)
    scopes = {}
    if not calls_only:
        scopes["<module>", 1] = scopes["<module>", 0] = _scope(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            scopes[node.name, first] = _scope(node.body)
    variables = _variables(tree)
    for scope in scopes.values():
        for block in scope.values():
            block.names = tuple(name for name in block.names if name in variables)
    return scopes


def _variables(tree: "ast.AST") -> "Set[str]":
    """Return the names that are ever given a value: not those of functions, classes and modules."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


def _is_silent(statement: "ast.stmt") -> bool:
    """Return whether the statement has no code: a declaration, or a constant, such as a docstring."""
    is_constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_constant or isinstance(statement, (ast.Global, ast.Nonlocal))


def _scope(statements: "List[ast.stmt]") -> "Dict[int, Block]":
    scope = Scope()
    scope.lay_out(statements)
    return scope.by_line


def _end(node: "ast.expr") -> int:
    return node.end_lineno or node.lineno


def show(value: "object") -> str:
    """Return the text of ``value``, "" for what is no data: functions, classes, modules."""
    if value is ABSENT or type(value).__name__ in _HIDDEN:
        return ""
    try:
        text = write(value, 0)
    except Exception:  # changed by another thread meanwhile, or nested too deep
        text = "<%s>" % type(value).__name__
    return text if len(text) <= MAXIMUM_CHARACTERS else text[:HALF] + CUT + text[-HALF:]


def write(value: "Any", depth: int) -> str:
    """Return a text whose first and last 50 characters are those of the whole one."""
    kind: object = type(value)
    if kind is int:
        return write_integer(value)
    if kind in _PLAIN:
        return repr(value)
    if kind in (str, bytes, bytearray):
        return repr(value) if len(value) <= 2 * _ITEMS else repr(value[:_ITEMS]) + CUT + repr(value[-_ITEMS:])
    if kind in _BRACKETS:
        return write_items(value, _BRACKETS[kind], depth)
    if kind in _MAPPINGS:
        return write_mapping(value, _MAPPINGS[kind], depth)
    if kind is array.array:
        return "array(%r, %s)" % (value.typecode, write_items(value, "[]", depth))
    if kind.__module__ == "numpy" and hasattr(value, "tolist"):
        return "array(%s)" % write(value.tolist(), depth) if getattr(value, "size", 0) < 10**5 else "<large array>"
    return write_object(value, depth)


def write_integer(value: int) -> str:
    if value.bit_length() > _DIGITS * 3:
        return "<integer of %d bits>" % value.bit_length()
    return repr(value)


def write_items(value: "object", brackets: "Any", depth: int) -> str:
    opening, closing = brackets
    if not value:
        return repr(value) if type(value) in (set, frozenset) else str(opening + closing)
    if depth == _DEPTH:
        return "".join((opening, "...", closing))
    texts = ends(value, lambda one: write(one, depth + 1))
    if type(value) is tuple and len(value) == 1:
        closing = ",)"
    return "".join((opening, ", ".join(texts), closing))


def write_mapping(value: "Any", brackets: "Any", depth: int) -> str:
    opening, closing = brackets
    if depth == _DEPTH:
        return "".join((opening, "...", closing))
    texts = ends(list(value.items()), lambda pair: ": ".join(write(one, depth + 1) for one in pair))
    return "".join((opening, ", ".join(texts), closing))


def ends(value: "Any", text: "Callable[[Any], str]") -> "List[str]":
    """Return the texts of all items, or of those at both ends of a long collection."""
    if len(value) <= 2 * _ITEMS:
        return [text(one) for one in value]
    if isinstance(value, (list, tuple, array.array)):
        first, last = value[:_ITEMS], value[-_ITEMS:]
    else:
        items = list(value)
        first, last = items[:_ITEMS], items[-_ITEMS:]
    return [*map(text, first), "...", *map(text, last)]


def write_object(value: "object", depth: int) -> str:
    """Return the class of an object and its first attributes, never its own text, which may be code or an address."""
    name = type(value).__name__
    attributes = type.__getattribute__(type(value), "__dict__").get("__dict__") and object.__getattribute__(
        value, "__dict__"
    )
    if type(attributes) is not dict or not attributes or depth >= 2 or type(value).__module__ not in _PROGRAM:
        return "<%s>" % name
    parts = []
    for key in list(attributes)[:_ATTRIBUTES]:
        if type(attributes[key]).__name__ not in _HIDDEN:
            parts.append("%s=%s" % (key, write(attributes[key], depth + 1)))
    more = ", ..." if len(attributes) > _ATTRIBUTES else ""
    return "<%s %s%s>" % (name, ", ".join(parts), more)
