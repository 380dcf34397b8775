"""A second, slow tracer to check the first one by: it rewrites the program so that each block reports itself.

It shares nothing with the sandbox's tracer but the meaning of a basic block: no trace function, no line events, whole
texts by repr. A value that is not of Python's own types is None: not compared. Programs with ``yield`` are not for it.
It runs in the sandbox, too, since the programs are what models wrote.
"""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from turnwise.benchmarks import values
from turnwise.records.problem import Limits
from turnwise.runners.execution.interface import PYTHON, Ending, Executor, Program

_HARNESS = """
import collections, io, json, os, sys, threading
_K = 5
class _Watch:
    def __init__(self, blocks):
        self.blocks, self.count, self.first, self.last, self.open = blocks, 0, [], collections.deque(maxlen=_K), {}
    def text(self, value):
        if not self.plain(value): return None
        text = repr(value)
        return text if len(text) <= 100 else text[:50] + " ... " + text[-50:]
    def plain(self, value, depth=0):
        kind = type(value)
        if kind in (int, float, bool, str, bytes, complex, type(None), range): return True
        if depth > 3: return False
        if kind in (list, tuple, set, frozenset, collections.deque):
            return all(self.plain(one, depth + 1) for one in value)
        if kind is dict: return all(self.plain(one, depth + 1) for pair in value.items() for one in pair)
        return False
    def see(self, names, frame):
        found = {}
        for name in names:
            if name in frame.f_locals: value = frame.f_locals[name]
            elif name in frame.f_globals: value = frame.f_globals[name]
            else: continue
            if type(value).__name__ not in ("function", "type", "module", "builtin_function_or_method", "method"):
                found[name] = self.text(value)
        return found
    def close(self, frame):
        run = self.open.pop(id(frame), None)
        if run is not None: run[3] = self.see(self.blocks[run[4]][2], frame)
    def enter(self, block, frame):
        self.close(frame)
        line, last_line, names = self.blocks[block]
        if not names: return
        run = [line, last_line, self.see(names, frame), {}, block]
        self.open[id(frame)] = run
        self.count += 1
        (self.first if self.count <= _K else self.last).append(run)
class _Each:
    def __init__(self, block, items): self.block, self.items, self.begun = block, iter(items), False
    def __iter__(self): return self
    def __next__(self):
        if self.begun: _watch.enter(self.block, sys._getframe(1))
        self.begun = True
        return next(self.items)
def _at(block): _watch.enter(block, sys._getframe(1))
def _left(): _watch.close(sys._getframe(1))
def slow_trace(source, stdin, entry_point, prelude, arguments, blocks):
    global _watch
    _watch = _Watch(blocks)
    module = type(sys)("solution" if entry_point else "__main__")
    sys.modules[module.__name__] = module
    module.__dict__.update(_at=_at, _left=_left, _Each=_Each)
    code = compile(source, "slow.py", "exec")
    try:
        if entry_point:
            exec(prelude, module.__dict__)
            exec(code, module.__dict__)
            (getattr(module, entry_point, None) or getattr(module.Solution(), entry_point))(*arguments)
        else:
            reading, writing = os.pipe()
            os.dup2(reading, 0)
            os.write(writing, stdin.encode())
            os.close(writing)
            sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False))
            exec(code, module.__dict__)
        for thread in threading.enumerate():
            if thread is not threading.main_thread(): thread.join()
    except BaseException:
        pass
    return json.dumps([_watch.count, [run[:4] for run in _watch.first + list(_watch.last)]])
"""


@dataclass
class SlowRun:
    """One run of a block; None stands for a value that is not compared."""

    line: int
    last_line: int
    before: dict[str, str | None]
    after: dict[str, str | None]


def slow_trace(executor: Executor, program: Program, data: bytes) -> tuple[int, list[SlowRun]] | None:
    """Return how many runs of blocks there were and the first and last five, or None if the program cannot be run."""
    tree = ast.parse(program.source)
    if any(isinstance(node, ast.Yield | ast.YieldFrom | ast.Await) for node in ast.walk(tree)):
        return None
    rewriter = _Rewriter(tree)
    rewriter.rewrite(tree, with_module=not program.entry_point)
    source = ast.unparse(ast.fix_missing_locations(tree))
    arguments = values.loads(data.decode()) if program.entry_point else []
    stdin = "" if program.entry_point else data.decode()
    given = [source, stdin, program.entry_point, program.prelude, arguments, rewriter.blocks]
    watched = Program(_HARNESS.encode(), entry_point="slow_trace")
    with executor.open(watched, PYTHON, Limits(30.0, 1 << 30, 1 << 24)) as session:
        execution = next(iter(session.run([values.dumps(given).encode()])))
    if execution.ending is not Ending.FINISHED:
        return None
    count, runs = json.loads(values.loads(execution.output.decode()))
    return count, [SlowRun(*run) for run in runs]


class _Rewriter:
    def __init__(self, tree: ast.Module) -> None:
        self.blocks: list[list[Any]] = []
        stored = {
            node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
        }
        arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        caught = {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name}
        self._variables = stored | arguments | caught

    def rewrite(self, tree: ast.Module, *, with_module: bool) -> None:
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for function in functions:
            function.body = self._watched(function.body)
        if with_module:
            tree.body = self._watched(tree.body)

    def _watched(self, body: list[ast.stmt]) -> list[ast.stmt]:
        declared = [one for one in body if isinstance(one, ast.Global | ast.Nonlocal)]
        inner = [*self._body(body), ast.Pass()]
        return [*declared, ast.Try(body=inner, handlers=[], orelse=[], finalbody=[_call("_left")])]

    def _new(self, line: int) -> int:
        self.blocks.append([line, line, []])
        return len(self.blocks) - 1

    def _take(self, block: int, last_line: int, *nodes: ast.AST) -> None:
        entry = self.blocks[block]
        entry[1] = max(entry[1], last_line)
        names = [one.id for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name)]
        entry[2] = list(dict.fromkeys([*entry[2], *(name for name in names if name in self._variables)]))

    def _body(self, statements: list[ast.stmt], block: int | None = None) -> Iterator[ast.stmt]:
        """Yield the statements with the calls that report their blocks."""
        for one in statements:
            line, end = one.lineno, one.end_lineno or one.lineno
            if isinstance(one, ast.Global | ast.Nonlocal):
                continue  # stands before all
            if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant):
                continue  # a docstring
            if isinstance(one, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
                block = None
                yield one
                continue
            if isinstance(one, ast.While | ast.For | ast.Try):
                block = None
            elif block is None:
                block = self._new(line)
                yield _call("_at", ast.Constant(block))
            if isinstance(one, ast.If):
                self._take(block or 0, one.test.end_lineno or line, one.test)
            elif isinstance(one, ast.While):
                head = self._new(line)
                self._take(head, one.test.end_lineno or line, one.test)
                seen = ast.Tuple([_call("_at", ast.Constant(head)).value, one.test], ast.Load())
                one.test = ast.Subscript(seen, ast.Constant(1), ast.Load())
            elif isinstance(one, ast.For):
                head = self._new(line)
                self._take(head, one.iter.end_lineno or line, one.target, one.iter)
                seen = ast.Tuple([_call("_at", ast.Constant(head)).value, one.iter], ast.Load())
                items = ast.Subscript(seen, ast.Constant(1), ast.Load())
                one.iter = _call("_Each", ast.Constant(head), items).value
            elif isinstance(one, ast.With):
                one.body = list(self._body(one.body, block))
            elif not isinstance(one, ast.Try):
                self._take(block or 0, end, one)
            if isinstance(one, ast.If | ast.While | ast.For | ast.Try):
                one.body, one.orelse = list(self._body(one.body)), list(self._body(one.orelse))
                block = None
            if isinstance(one, ast.Try):
                one.finalbody = list(self._body(one.finalbody))
                for handler in one.handlers:
                    handler.body = list(self._body(handler.body))
            yield one
            if isinstance(one, ast.Return | ast.Raise | ast.Break | ast.Continue):
                block = None


def _call(name: str, *arguments: ast.expr) -> ast.Expr:
    return ast.Expr(ast.Call(ast.Name(name, ast.Load()), list(arguments), []))
