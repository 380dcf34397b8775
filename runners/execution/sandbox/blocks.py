"""Basic blocks of a program's source: straight runs of statements, entered at the top and left at the bottom.

A condition ends the block it stands in; the head of a loop is a block of its own, since two ways lead to it; a
body, an else, a handler and what follows a compound statement begin new ones. Imports and definitions show no
values and make no block. The text of this module is run beside the tracer's: Python 3.8, no import of ours.
"""

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_LEAVING = (ast.Return, ast.Raise, ast.Break, ast.Continue)


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
