"""Whether a text is a Python 3 program, and what it does; found without an interpreter.

``read_python("x = f(1)")`` gives ``PythonSource(acts=True, defines=frozenset({"x"}))``; ``read_python("Here it is")``
gives None. The grammar is that of CPython 3.8 to 3.14 together, with what the compiler refuses besides: assignment to
a call, ``return`` outside a function, a parameter twice and the like. Meant for text that nobody has to trust: nothing
of it is compiled or run, brackets and blocks nest on a stack of our own, and time and memory are linear in the text.
Where versions of CPython differ, a text that any of them takes is a program. Does not evaluate literals, and does not
count loops in loops or the work of the compiler, whose limits change with its version.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from turnwise.tasks.python_expressions import DELETABLE, EXPRESSION_STARTS, SINGLE, TARGET, Expressions, Scope
from turnwise.tasks.python_tokens import LogicalLine, NotPythonError, logical_lines, words

LONGEST_TEXT = 1_000_000
"""Characters."""
DEEPEST_INDENT = 100
"""Blocks in blocks; CPython's own limit."""

_AUGMENTED = words("+= -= *= /= //= %= @= &= |= ^= >>= <<= **=")
_BUILTINS = words(
    "abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex"
    " copyright credits delattr dict dir divmod enumerate eval exec exit filter float format frozenset getattr"
    " globals hasattr hash help hex id input int isinstance issubclass iter len license list locals map max"
    " memoryview min next object oct open ord pow print property quit range repr reversed round set setattr slice"
    " sorted staticmethod str sum super tuple type vars zip"
)
_NOT_IN_SOURCE = re.compile("[\0\ud800-\udfff]")
_FUTURES = words(
    "absolute_import annotations barry_as_FLUFL division generator_stop generators nested_scopes print_function"
    " unicode_literals with_statement"
)


@dataclass(frozen=True, slots=True)
class PythonSource:
    """What a program does: whether it acts at all, and the names that it binds at module level, imports left out.

    Literals, names, operators, comments, ``pass``, ``global`` and annotations, whatever stands in them, do not act, nor
    do functions and classes of nothing else, and calls of functions that it does not have.
    """

    acts: bool
    defines: frozenset[str]


def read_python(text: str) -> PythonSource | None:
    """Return what the program does, or None where the text is no Python 3 program or is past the bounds above."""
    if len(text) > LONGEST_TEXT or _NOT_IN_SOURCE.search(text):
        return None
    program = _Program()
    try:
        for line in logical_lines(text):
            program.read(line)
        program.end()
    except NotPythonError:
        return None
    known = program.module.bound | _BUILTINS
    return PythonSource(
        program.acts or not known.isdisjoint(program.called), frozenset(program.module.bound - program.imported)
    )


@dataclass(frozen=True, slots=True)
class _Body:
    """What the statements of a block may be: in whose scope, in a loop, ``case`` alone, with or without a return."""

    scope: Scope
    loop: bool = False
    cases: bool = False
    returns: bool = True


@dataclass(slots=True)
class _Block:
    """An open block: its columns, and which clauses the statement before may still have, or must have.

    ``matches_all`` where a case before leaves nothing for another.
    """

    column: int
    tab_column: int
    body: _Body
    follow: frozenset[str] = frozenset()
    owed: bool = False
    matches_all: bool = False


# After which clause of a statement which other may stand.
_FOLLOW = {
    "if": frozenset({"elif", "else"}),
    "elif": frozenset({"elif", "else"}),
    "for": frozenset({"else"}),
    "while": frozenset({"else"}),
    "try": frozenset({"except", "except*", "finally"}),
    "except": frozenset({"except", "else-finally", "finally"}),
    "except*": frozenset({"except*", "else-finally", "finally"}),
    "bare except": frozenset({"else-finally", "finally"}),
    "else-finally": frozenset({"finally"}),
}
_CLAUSES = frozenset({"elif", "else", "except", "finally"})


class _Program(Expressions):
    """The statements of a program, a logical line at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.module = self.scope
        self.imported: set[str] = set()  # names that the module has from an import last
        self.body = _Body(self.scope)
        self.blocks = [_Block(0, 0, self.body)]
        self.opened: _Body | None = None  # what the next line has to be indented for
        self.decorated = False
        # Where imports from __future__ may stand: "docstring" before anything, "imports" after the docstring, then "".
        self.prologue = "docstring"

    def read(self, line: LogicalLine) -> None:
        """Read the next line."""
        self.kinds, self.values, self.at = line.kinds, line.values, 0
        self.indent(line)
        block = self.blocks[-1]
        self.body = block.body
        self.scope = block.body.scope
        kind = self.kinds[0]
        if self.decorated and kind not in ("@", "def", "class", "async"):
            raise NotPythonError("nothing decorated")
        if kind not in _CLAUSES and not block.body.cases:
            self.close_statement(block)
        if block.body.cases:
            self.case()
        elif kind in _CLAUSES:
            self.clause(block)
        elif kind in self.COMPOUND:
            self.acts = self.acts or kind not in ("def", "class", "async")
            self.COMPOUND[kind](self)
        elif kind == "name" and self.values[0] == "match" and self.kinds[-2] == ":" and len(self.kinds) > 3:
            self.match()
        else:
            self.simple_statements()
        self.end_statement()

    def end(self) -> None:
        """Refuse a program that lacks its last part."""
        if self.opened or self.decorated:
            raise NotPythonError("unfinished block")
        while self.blocks:
            self.close_block()

    def bind(self, *names: str) -> None:
        super().bind(*names)
        if self.scope is self.module:
            self.imported.difference_update(names)

    def bind_import(self, name: str) -> None:
        self.bind(name)
        if self.scope is self.module:
            self.imported.add(name)

    def end_statement(self) -> None:
        """Check and forget what was read of a simple statement, or of the head of another."""
        if self.awaits:
            raise NotPythonError("await outside an async function")
        self.scope.used.update(self.uses)
        self.names.clear()
        self.uses.clear()
        self.walruses.clear()

    def close_block(self) -> None:
        block = self.blocks.pop()
        self.close_statement(block)
        if not self.blocks or self.blocks[-1].body.scope is not block.body.scope:
            self.close_scope(block.body.scope)

    def close_scope(self, scope: Scope) -> None:
        """Check what can be told of a function at its end alone."""
        if scope.is_async and scope.yields and scope.returns_value:
            raise NotPythonError("return with a value in an async generator")
        sought = scope.nonlocals | (scope.sought - scope.bound if scope.kind == "function" else scope.sought)
        if sought and scope.outer is not None:
            if scope.outer.kind == "module":
                raise NotPythonError("nonlocal name that no function binds")
            scope.outer.sought |= sought

    def close_statement(self, block: _Block) -> None:
        if block.owed:
            raise NotPythonError("try without except")
        block.follow = frozenset()

    def indent(self, line: LogicalLine) -> None:
        """Open or close blocks as the indentation of the line says."""
        block = self.blocks[-1]
        if line.column > block.column:
            if self.opened is None or line.tab_column <= block.tab_column:
                raise NotPythonError("unexpected indent")
            if len(self.blocks) >= DEEPEST_INDENT:
                raise NotPythonError("too many blocks")
            self.blocks.append(_Block(line.column, line.tab_column, self.opened))
            self.opened = None
            return
        if self.opened is not None:
            raise NotPythonError("no block")
        if self.decorated and line.column != block.column:
            raise NotPythonError("nothing decorated")
        while line.column < self.blocks[-1].column:
            self.close_block()
        block = self.blocks[-1]
        if (line.column, line.tab_column) != (block.column, block.tab_column):
            raise NotPythonError("inconsistent indentation")

    def suite(self, body: _Body, clause: str = "") -> None:
        """Read the colon of a compound statement and what follows it on the line."""
        self.expect(":")
        self.end_statement()
        self.prologue = ""
        block = self.blocks[-1]
        block.follow = _FOLLOW.get(clause, frozenset())
        block.owed = clause == "try"
        if self.kinds[self.at] == "newline":
            self.opened = body
            return
        outer = self.body
        self.body, self.scope = body, body.scope
        self.simple_statements()
        if body.scope is not outer.scope:
            self.close_scope(body.scope)

    # Compound statements

    def if_(self) -> None:
        self.at += 1
        self.run(self.named_expression())
        self.suite(self.body, "if")

    def while_(self) -> None:
        self.at += 1
        self.run(self.named_expression())
        self.suite(replace(self.body, loop=True), "while")

    def for_(self) -> None:
        self.at += 1
        self.run(self.targets())
        self.bind(*self.names)
        self.names.clear()
        self.expect("in")
        self.run(self.expressions())
        self.suite(replace(self.body, loop=True), "for")

    def try_(self) -> None:
        self.at += 1
        self.suite(self.body, "try")

    def with_(self) -> None:
        self.at += 1
        bracketed = self.kinds[self.at] == "(" and self.with_items_bracketed()
        self.at += bracketed
        while True:
            self.run(self.expression())
            self.names.clear()
            if self.skip("as"):
                use = self.run(self.primary())
                if not use & TARGET:
                    raise NotPythonError("no target")
                self.bind(*self.names)
                self.names.clear()
            if not self.skip(",") or (bracketed and self.kinds[self.at] == ")"):
                break
        if bracketed:
            self.expect(")")
        self.suite(self.body)

    def with_items_bracketed(self) -> bool:
        """Return whether the bracket here encloses all items, which an ``as`` in it shows."""
        depth = 0
        found = False
        for index in range(self.at, len(self.kinds)):
            kind = self.kinds[index]
            if kind in ("(", "[", "{", "field"):
                depth += 1
            elif kind in (")", "]", "}", "endfield"):
                depth -= 1
                if not depth:
                    return found and self.kinds[index + 1] == ":"
            elif kind == "as" and depth == 1:
                found = True
        return False

    def def_(self, *, is_async: bool = False) -> None:
        self.at += 1
        self.decorated = False
        self.bind(self.expect("name"))
        if self.kinds[self.at] == "[":
            self.run(self.type_parameters())
        self.expect("(")
        parameters: set[str] = set()
        self.run(self.parameters(")", parameters))
        self.expect(")")
        if self.skip("->"):
            count = len(self.uses)
            self.run(self.expression())
            del self.uses[count:]
        self.suite(_Body(Scope("function", is_async, self.scope, bound=parameters)))

    def class_(self) -> None:
        self.at += 1
        self.decorated = False
        self.bind(self.expect("name"))
        if self.kinds[self.at] == "[":
            self.run(self.type_parameters())
        if self.skip("("):
            self.run(self.arguments())
        self.suite(_Body(Scope("class", outer=self.scope)))

    def async_(self) -> None:
        self.at += 1
        kind = self.kinds[self.at]
        if kind == "def":
            self.def_(is_async=True)
        elif kind in ("for", "with") and self.scope.is_async and not self.decorated:
            self.COMPOUND[kind](self)
        else:
            raise NotPythonError("misplaced async")

    def decorator(self) -> None:
        self.at += 1
        self.run(self.named_expression())
        self.expect("newline")
        self.decorated = True

    def match(self) -> None:
        self.acts = True
        self.at += 1
        if self.kinds[self.at] == "*":
            self.run(self.element())
            if self.kinds[self.at] != ",":
                raise NotPythonError("star alone")
        else:
            self.run(self.named_expression())
        while self.skip(",") and self.kinds[self.at] in EXPRESSION_STARTS:
            self.run(self.element())
        self.suite(replace(self.body, cases=True))
        if self.opened is None:
            raise NotPythonError("match without a block")

    def case(self) -> None:
        if self.kinds[0] != "name" or self.values[0] != "case":
            raise NotPythonError("no case")
        self.at += 1
        block = self.blocks[-1]
        if block.matches_all:
            raise NotPythonError("case after one that matches all")
        block.matches_all = bool(self.run(self.patterns()))
        if self.skip("if"):
            block.matches_all = False
            self.run(self.named_expression())
        self.suite(replace(self.body, cases=False))

    def clause(self, block: _Block) -> None:
        """A clause of the statement before."""
        kind = self.kinds[0]
        self.at += 1
        if kind == "except" and self.skip("*"):
            kind = "except*"
        if kind == "else" and "else-finally" in block.follow:
            kind = "else-finally"
        if kind not in block.follow:
            raise NotPythonError(f"misplaced {kind}")
        body = self.body
        if kind == "elif":
            self.run(self.named_expression())
        elif kind == "except*" or (kind == "except" and self.kinds[self.at] != ":"):
            self.run(self.expression())
            if self.kinds[self.at] == ",":
                while self.skip(",") and self.kinds[self.at] in EXPRESSION_STARTS:
                    self.run(self.expression())
            elif self.skip("as"):
                name = self.expect("name")
                if body.scope is not self.module:  # where the name is gone after the clause
                    self.bind(name)
            if kind == "except*":
                body = replace(body, loop=False, returns=False)
        elif kind == "except":
            kind = "bare except"
        self.suite(body, kind)

    COMPOUND: ClassVar[dict[str, Callable[["_Program"], None]]] = {
        "if": if_,
        "while": while_,
        "for": for_,
        "try": try_,
        "with": with_,
        "def": def_,
        "class": class_,
        "async": async_,
        "@": decorator,
    }

    # Simple statements

    def simple_statements(self) -> None:
        while True:
            self.simple_statement()
            self.end_statement()
            if self.skip("newline"):
                return
            self.expect(";")
            if self.skip("newline"):
                return

    def simple_statement(self) -> None:
        kind = self.kinds[self.at]
        if self.prologue:
            is_docstring = kind == "string" and self.prologue == "docstring"
            is_future = kind == "from" and self.values[self.at + 1] == "__future__"
            self.prologue = "imports" if is_docstring or is_future else ""
        if kind in self.SIMPLE:
            self.acts = self.acts or kind not in ("pass", "global")
            self.at += 1
            self.SIMPLE[kind](self)
        elif (
            kind == "name"
            and self.values[self.at] == "type"
            and self.kinds[self.at + 1] == "name"
            and self.kinds[self.at + 2] in ("=", "[")
        ):
            self.type_alias()
        else:
            self.assignment()

    def assignment(self) -> None:
        """An expression, or one that a value is assigned to."""
        if self.kinds[self.at] == "yield":
            self.run(self.yield_expression())
            return
        use = self.run(self.expressions())
        kind = self.kinds[self.at]
        if kind == "=":
            self.acts = True
            while self.skip("="):
                if not use & TARGET:
                    raise NotPythonError("no target")
                self.bind(*self.names)
                self.names.clear()
                use = self.run(self.value())
        elif kind == ":" and use & SINGLE:
            self.at += 1
            names = self.names[:]
            acts = self.acts
            count, called = len(self.uses), len(self.called)
            self.run(self.expression())
            self.acts = acts  # "Note: this is O(n)"
            del self.uses[count:], self.called[called:]
            if self.skip("="):
                self.acts = True
                self.bind(*names)
                self.run(self.value())
            elif self.scope is not self.module:
                self.bind(*names)
        elif kind in _AUGMENTED and use & SINGLE:
            self.at += 1
            self.acts = True
            self.bind(*self.names)
            self.run(self.value())

    def type_alias(self) -> None:
        self.acts = True
        self.at += 1
        self.bind(self.expect("name"))
        if self.kinds[self.at] == "[":
            self.run(self.type_parameters())
        self.expect("=")
        self.run(self.expression())

    def pass_(self) -> None:
        return

    def jump(self) -> None:
        if not self.body.loop:
            raise NotPythonError("break outside a loop")

    def return_(self) -> None:
        if self.scope.kind != "function" or not self.body.returns:
            raise NotPythonError("return outside a function")
        if self.kinds[self.at] in EXPRESSION_STARTS:
            self.scope.returns_value = True
            self.run(self.expressions())

    def raise_(self) -> None:
        if self.kinds[self.at] in EXPRESSION_STARTS:
            self.run(self.expression())
            if self.skip("from"):
                self.run(self.expression())

    def del_(self) -> None:
        if not self.run(self.expressions()) & DELETABLE:
            raise NotPythonError("cannot be deleted")
        if self.scope is not self.module:
            self.bind(*self.names)

    def assert_(self) -> None:
        self.run(self.expression())
        if self.skip(","):
            self.run(self.expression())

    def global_(self) -> None:
        self.declared_names()

    def nonlocal_(self) -> None:
        if self.scope.kind == "module":
            raise NotPythonError("nonlocal at module level")
        self.scope.nonlocals |= self.declared_names() - {"__class__"}

    def declared_names(self) -> set[str]:
        names = {self.expect("name")}
        while self.skip(","):
            names.add(self.expect("name"))
        if not names.isdisjoint(self.scope.used) or not names.isdisjoint(self.scope.bound):
            raise NotPythonError("name used before its declaration")
        return names

    def import_(self) -> None:
        while True:
            name = self.expect("name")
            while self.skip("."):
                self.expect("name")
            self.bind_import(self.expect("name") if self.skip("as") else name)
            if not self.skip(","):
                return

    def from_(self) -> None:
        future = (
            self.kinds[self.at] == "name"
            and self.values[self.at] == "__future__"
            and self.kinds[self.at + 1] == "import"
        )
        dots = False
        while self.skip(".") or self.skip("..."):
            dots = True
        if not dots or self.kinds[self.at] == "name":
            self.expect("name")
            while self.skip("."):
                self.expect("name")
        self.expect("import")
        if self.skip("*"):
            if self.scope.kind != "module" or future:
                raise NotPythonError("misplaced import of everything")
            return
        bracket = self.skip("(")
        while True:
            name = self.expect("name")
            if future and not (self.prologue and name in _FUTURES):
                raise NotPythonError("misplaced or unknown __future__")
            self.bind_import(self.expect("name") if self.skip("as") else name)
            if not self.skip(",") or (bracket and self.kinds[self.at] == ")"):
                break
        if bracket:
            self.expect(")")

    SIMPLE: ClassVar[dict[str, Callable[["_Program"], None]]] = {
        "pass": pass_,
        "break": jump,
        "continue": jump,
        "return": return_,
        "raise": raise_,
        "del": del_,
        "assert": assert_,
        "global": global_,
        "nonlocal": nonlocal_,
        "import": import_,
        "from": from_,
    }
