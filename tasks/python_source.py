"""Whether a text is a Python 3 program, and what it does; found without an interpreter.

``read_python("x = f(1)")`` gives ``PythonSource(acts=True, defines=frozenset({"x"}))``; ``read_python("Here it is")``
gives None. The grammar is that of CPython 3.8 to 3.14 together, with what the compiler refuses besides: assignment to
a call, ``return`` outside a function, a parameter twice and the like. Meant for text that nobody has to trust: nothing
of it is compiled or run, brackets and blocks nest on a stack of our own, and time and memory are linear in the text.
Does not evaluate literals and does not resolve names, so ``nonlocal`` of an unknown name passes. Where versions of
CPython differ, a text that any of them takes is a program.
"""

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import ClassVar

from turnwise.tasks.python_tokens import LogicalLine, NotPythonError, logical_lines

LONGEST_TEXT = 1_000_000
"""Characters."""
DEEPEST_INDENT = 100
"""Blocks in blocks; CPython's own limit."""
DEEPEST_EXPRESSION = 2000
"""Rules of the grammar open at one place: brackets take up to four each, a lambda in a lambda's default two."""

_CONSTANTS = frozenset({"number", "None", "True", "False", "..."})
_STRINGS = frozenset({"string", "bytes", "fstring"})
_UNARY = frozenset("+-~")
_ARITHMETIC = frozenset(["+", "-", "*", "/", "//", "%", "@", "**", "<<", ">>", "&", "|", "^"])
_COMPARISONS = frozenset(["<", ">", "==", ">=", "<=", "!=", "in", "is"])
_AUGMENTED = frozenset(["+=", "-=", "*=", "/=", "//=", "%=", "@=", "&=", "|=", "^=", ">>=", "<<=", "**="])
_EXPRESSION_STARTS = _CONSTANTS | _STRINGS | _UNARY | frozenset(["name", "(", "[", "{", "not", "lambda", "await", "*"])
_PLAIN_FOLLOWERS = frozenset({".", "(", "["})
_NOT_IN_SOURCE = re.compile("[\0\ud800-\udfff]")

# What an expression may be used as, in bits.
_TARGET = 1  # assigned to
_DELETABLE = 2
_SINGLE = 4  # assigned to with an operator, or annotated
_NAME = 8  # a name without brackets
_STARRED = 16
_LOOSE = 32  # not, and, or, or a comparison, which no star may stand before
_PLACE = _TARGET | _DELETABLE | _SINGLE

# A rule of the grammar yields the rules that it consists of and returns the use of what it read.
Rule = Generator["Rule", int, int]


@dataclass(frozen=True, slots=True)
class PythonSource:
    """What a program does: whether it acts at all, and the names that it binds at module level.

    Literals, names, operators, comments, ``pass`` and annotations, whatever stands in
    them, do not act.
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
    return PythonSource(program.acts, frozenset(program.defines))


@dataclass(frozen=True, slots=True)
class _Scope:
    """Whose statements these are: "module", "class" or "function"."""

    kind: str
    is_async: bool = False


@dataclass(frozen=True, slots=True)
class _Body:
    """What the statements of a block may be: in whose scope, in a loop or not, ``case`` only or none of it."""

    scope: _Scope
    loop: bool = False
    cases: bool = False


@dataclass(slots=True)
class _Block:
    """An open block: its columns, and which clauses the statement before may still have, or must have."""

    column: int
    tab_column: int
    body: _Body
    follow: frozenset[str] = frozenset()
    owed: bool = False


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


class _Parser:
    """The expressions of one logical line after the other: generators that ``run`` drives, so that none recurses."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.values: list[str] = []
        self.at = 0
        self.scope = _Scope("module")
        self.acts = False
        self.defines: set[str] = set()
        self.names: list[str] = []  # of what may be a target and has been read, oldest first
        self.awaits = 0  # that only a generator expression around them allows
        self.yields = 0

    def run(self, rule: Rule) -> int:
        """Return the use of what the rule reads."""
        stack = [rule]
        use: int | None = None
        while stack:
            try:
                child = next(stack[-1]) if use is None else stack[-1].send(use)
            except StopIteration as stop:
                stack.pop()
                use = int(stop.value)
            else:
                if len(stack) >= DEEPEST_EXPRESSION:
                    raise NotPythonError("nested too deeply")
                stack.append(child)
                use = None
        return use or 0

    def expect(self, kind: str) -> str:
        """Step over a token of that kind and return its text."""
        if self.kinds[self.at] != kind:
            raise NotPythonError(f"no {kind}")
        self.at += 1
        return self.values[self.at - 1]

    def skip(self, kind: str) -> bool:
        """Step over a token if it is of that kind."""
        found = self.kinds[self.at] == kind
        self.at += found
        return found

    def bind(self, *names: str) -> None:
        """Note names that a statement binds in the scope at hand."""
        if "__debug__" in names:
            raise NotPythonError("__debug__ is bound")
        if self.scope.kind == "module":
            self.defines.update(names)

    # Operators

    def named_expression(self) -> Rule:
        """An expression, or ``name := expression``."""
        mark = len(self.names)
        use = yield self.expression()
        if use & _NAME and self.skip(":="):
            self.acts = True
            self.bind(self.names[-1])
            del self.names[mark:]
            yield self.expression()
            use = 0
        return use

    def expression(self) -> Rule:
        """Lambdas and conditionals, down to what ``or`` joins."""
        outer = self.scope
        use = -1
        while True:
            if self.skip("lambda"):
                yield self.parameters(":")
                self.expect(":")
                if self.scope is outer:
                    yields, awaits = self.yields, self.awaits
                self.scope = _LAMBDA
                use = 0
                continue
            mark = len(self.names)
            last = yield self.disjunction()
            use = last if use < 0 else 0
            if not self.skip("if"):
                break
            use = 0
            del self.names[mark:]
            yield self.disjunction()
            self.expect("else")
        if not use & _TARGET:
            del self.names[mark:]
        if self.scope is not outer:
            if self.awaits != awaits:
                raise NotPythonError("await in a lambda")
            self.yields = yields
            self.scope = outer
        return use

    def disjunction(self) -> Rule:
        """Operands and the operators between them, whose order of precedence matters to nobody here."""
        mark = len(self.names)
        kinds = self.kinds
        use = -1
        loose = 0
        negatable = True
        while True:
            prefixed = False
            while negatable and self.skip("not"):
                prefixed = True
                loose = _LOOSE
            while kinds[self.at] in _UNARY:
                self.at += 1
                prefixed = True
            if self.skip("await"):
                prefixed = True
                if not self.scope.is_async:
                    self.awaits += 1
            kind = kinds[self.at]
            if kinds[self.at + 1 : self.at + 2] and kind == "name" and kinds[self.at + 1] not in _PLAIN_FOLLOWERS:
                self.names.append(self.values[self.at])
                self.at += 1
                operand = _PLACE | _NAME
            elif kind == "number" and kinds[self.at + 1] not in _PLAIN_FOLLOWERS:
                self.at += 1
                operand = 0
            else:
                operand = yield self.primary()
            use = operand if use < 0 and not prefixed else 0
            kind = kinds[self.at]
            if kind in _ARITHMETIC:
                negatable = False
            elif kind == "and" or kind == "or":
                negatable = True
                loose = _LOOSE
            elif kind in _COMPARISONS or (kind == "not" and kinds[self.at + 1] == "in"):
                negatable = False
                loose = _LOOSE
                if kind == "not" or (kind == "is" and kinds[self.at + 1] == "not"):
                    self.at += 1
            else:
                break
            self.at += 1
            use = 0
        if not use & _TARGET:
            del self.names[mark:]
        return use | loose

    def primary(self) -> Rule:
        """An atom with the calls, subscripts and attributes after it."""
        mark = len(self.names)
        kind = self.kinds[self.at]
        use = 0
        if kind == "name":
            self.names.append(self.expect("name"))
            use = _PLACE | _NAME
        elif kind in _CONSTANTS:
            self.at += 1
        elif kind in _STRINGS:
            yield self.strings()
        elif self.skip("("):
            use = yield self.group()
        elif self.skip("["):
            use = yield self.elements("]")
        elif self.skip("{"):
            yield self.braces()
        else:
            raise NotPythonError("no operand")
        while True:
            if self.skip("."):
                self.expect("name")
                use = _PLACE
            elif self.skip("("):
                self.acts = True
                yield self.arguments()
                use = 0
            elif self.skip("["):
                yield self.subscript()
                use = _PLACE
            else:
                break
            del self.names[mark:]
        if not use & _TARGET:
            del self.names[mark:]
        return use

    # Atoms

    def strings(self) -> Rule:
        """String literals side by side."""
        is_bytes = self.kinds[self.at] == "bytes"
        while (kind := self.kinds[self.at]) in _STRINGS:
            if (kind == "bytes") != is_bytes:
                raise NotPythonError("bytes beside a string")
            self.at += 1
            if kind == "fstring":
                while self.kinds[self.at] == "field":
                    yield self.replacement_field()
                self.expect("endfstring")
        return 0

    def replacement_field(self) -> Rule:
        """``{expression = !r : format}`` of an f-string."""
        self.expect("field")
        if self.kinds[self.at] == "yield":
            yield self.yield_expression()
        else:
            yield self.expressions()
        self.skip("=")
        if self.skip("!") and self.expect("name") not in ("r", "s", "a"):
            raise NotPythonError("unknown conversion")
        if self.skip("spec"):
            while self.kinds[self.at] == "field":
                yield self.replacement_field()
        self.expect("endfield")
        return 0

    def group(self) -> Rule:
        """What stands in round brackets: nothing, an expression, a tuple, a generator or a yield."""
        if self.kinds[self.at] != "yield":
            return (yield self.elements(")"))
        yield self.yield_expression()
        self.expect(")")
        return 0

    def elements(self, closer: str) -> Rule:
        """The elements of a tuple, a list or a set, or a comprehension, with the closing bracket."""
        mark = len(self.names)
        use = _TARGET | _DELETABLE
        starred = count = 0
        comma = False
        while not self.skip(closer):
            if count and not comma:
                raise NotPythonError("no comma")
            before = self.awaits, self.yields
            element = yield self.element()
            count += 1
            if count == 1 and self.kinds[self.at] in ("for", "async"):
                if element & _STARRED:
                    raise NotPythonError("star in a comprehension")
                del self.names[mark:]
                yield self.comprehension(before, is_generator=closer == ")")
                self.expect(closer)
                return 0
            comma = self.skip(",")
            starred += bool(element & _STARRED)
            if closer == ")" and count == 1 and not comma:
                if starred:
                    raise NotPythonError("star in brackets")
                self.expect(closer)
                return element & ~(_NAME | _LOOSE)
            use &= element
        if starred > 1:
            use = 0
        if not use & _TARGET:
            del self.names[mark:]
        return use

    def element(self) -> Rule:
        """A named expression, or a starred one; what is starred cannot be deleted."""
        if not self.skip("*"):
            return (yield self.named_expression())
        use = yield self.disjunction()
        if use & _LOOSE:
            raise NotPythonError("star before a condition")
        return (use & _TARGET) | _STARRED

    def braces(self) -> Rule:
        """A set or a dict, or a comprehension of either."""
        if self.skip("}"):
            return 0
        if self.kinds[self.at] != "**":
            start, mark = self.at, len(self.names)
            before = self.awaits, self.yields
            yield self.element()
            del self.names[mark:]
            if self.kinds[self.at] in ("for", "async"):
                if self.kinds[start] == "*":
                    raise NotPythonError("star in a comprehension")
                yield self.comprehension(before)
                self.expect("}")
                return 0
            if self.kinds[self.at] != ":":
                if self.skip("}"):
                    return 0
                self.expect(",")
                yield self.elements("}")
                return 0
            if self.kinds[start] == "*" or self.kinds[start + 1] == ":=":
                raise NotPythonError("no key")
            self.at += 1
            yield self.expression()
            if self.kinds[self.at] in ("for", "async"):
                yield self.comprehension(before)
                self.expect("}")
                return 0
            if self.skip("}"):
                return 0
            self.expect(",")
        while not self.skip("}"):
            if self.skip("**"):
                if (yield self.disjunction()) & _LOOSE:
                    raise NotPythonError("stars before a condition")
            else:
                yield self.expression()
                self.expect(":")
                yield self.expression()
            if not self.skip(","):
                self.expect("}")
                break
        return 0

    def comprehension(self, before: tuple[int, int], *, is_generator: bool = False) -> Rule:
        """The ``for`` and ``if`` clauses after an element, before which so many awaits and yields had been seen."""
        while True:
            if self.skip("async") and not self.scope.is_async:
                self.awaits += 1
            self.expect("for")
            mark = len(self.names)
            yield self.targets()
            del self.names[mark:]
            self.expect("in")
            yield self.disjunction()
            del self.names[mark:]
            while self.skip("if"):
                # Python 3.8 takes a lambda here.
                yield self.expression() if self.kinds[self.at] == "lambda" else self.disjunction()
                del self.names[mark:]
            if self.kinds[self.at] not in ("for", "async"):
                break
        if self.yields != before[1]:
            raise NotPythonError("yield in a comprehension")
        if is_generator:
            self.awaits = before[0]
        return 0

    def targets(self) -> Rule:
        """The targets of a loop, up to ``in``."""
        count = starred = 0
        comma = True
        while comma and self.kinds[self.at] != "in":
            starred += self.skip("*")
            if not (yield self.primary()) & _TARGET:
                raise NotPythonError("no target")
            count += 1
            comma = self.skip(",")
        if not count or starred > 1 or (starred and count == 1 and not comma):
            raise NotPythonError("no target")
        return 0

    def arguments(self) -> Rule:
        """The arguments of a call, with the closing bracket."""
        keywords: set[str] = set()
        unpacked = False
        count = 0
        while not self.skip(")"):
            mark = len(self.names)
            count += 1
            if self.skip("**"):
                yield self.expression()
                unpacked = True
            elif self.skip("*"):
                if unpacked:
                    raise NotPythonError("star after two")
                yield self.expression()
            elif self.kinds[self.at] == "name" and self.kinds[self.at + 1] == "=":
                name = self.expect("name")
                if name in keywords or name == "__debug__":
                    raise NotPythonError("keyword given twice")
                keywords.add(name)
                self.at += 1
                yield self.expression()
            else:
                before = self.awaits, self.yields
                yield self.named_expression()
                if self.kinds[self.at] in ("for", "async"):
                    if count > 1:
                        raise NotPythonError("generator among arguments")
                    yield self.comprehension(before, is_generator=True)
                    self.expect(")")
                    return 0
                if keywords or unpacked:
                    raise NotPythonError("positional argument after a keyword")
            del self.names[mark:]
            if not self.skip(","):
                self.expect(")")
                break
        return 0

    def subscript(self) -> Rule:
        """Indices and slices, with the closing bracket."""
        comma = True
        if self.kinds[self.at] == "]":
            raise NotPythonError("no index")
        while comma and self.kinds[self.at] != "]":
            if self.kinds[self.at] != ":":
                yield self.element()
            colons = 0
            while colons < 2 and self.skip(":"):
                colons += 1
                if self.kinds[self.at] not in (":", ",", "]"):
                    yield self.expression()
            comma = self.skip(",")
        self.expect("]")
        return 0

    # Lists of expressions, and what they make of a line

    def expressions(self) -> Rule:
        """One expression, or a tuple without brackets."""
        use = yield self.star_expression()
        if self.kinds[self.at] != ",":
            if use & _STARRED:
                raise NotPythonError("star alone")
            return use & ~_LOOSE
        starred = 1 if use & _STARRED else 0
        use &= _TARGET | _DELETABLE
        while self.skip(",") and self.kinds[self.at] in _EXPRESSION_STARTS:
            element = yield self.star_expression()
            starred += bool(element & _STARRED)
            use = 0 if starred > 1 else use & element
        return use

    def star_expression(self) -> Rule:
        return (yield self.element() if self.kinds[self.at] == "*" else self.expression())

    def yield_expression(self) -> Rule:
        """``yield`` with what it gives."""
        if self.scope.kind != "function":
            raise NotPythonError("yield outside a function")
        self.expect("yield")
        self.yields += 1
        if self.skip("from"):
            if self.scope.is_async:
                raise NotPythonError("yield from in an async function")
            yield self.expression()
        elif self.kinds[self.at] in _EXPRESSION_STARTS:
            yield self.expressions()
        return 0

    def value(self) -> Rule:
        """What stands right of an equals sign."""
        return (yield self.yield_expression() if self.kinds[self.at] == "yield" else self.expressions())

    def parameters(self, closer: str) -> Rule:
        """The parameters of a function up to its closing bracket, or those of a lambda up to its colon."""
        names: set[str] = set()
        count = 0
        default = star = bare = slash = False
        while self.kinds[self.at] != closer:
            count += 1
            if self.skip("/"):
                if count == 1 or slash or star:
                    raise NotPythonError("misplaced slash")
                slash = True
            elif self.skip("**"):
                yield self.parameter(names, closer)
                bare = self.bare_star(bare)
                self.skip(",")
                if self.kinds[self.at] != closer:
                    raise NotPythonError("parameter after two stars")
                break
            elif self.skip("*"):
                if star:
                    raise NotPythonError("two stars")
                star = True
                if self.kinds[self.at] == ",":
                    bare = True
                else:
                    yield self.parameter(names, closer, starred=True)
            else:
                yield self.parameter(names, closer)
                bare = False
                if self.skip("="):
                    default = True
                    yield self.expression()
                elif default and not star:
                    raise NotPythonError("parameter without default after one with it")
            if not self.skip(","):
                break
        self.bare_star(bare)
        if self.kinds[self.at] != closer:
            raise NotPythonError("no parameter")
        return 0

    def bare_star(self, bare: bool) -> bool:
        if bare:
            raise NotPythonError("nothing after a bare star")
        return False

    def parameter(self, names: set[str], closer: str, *, starred: bool = False) -> Rule:
        """The name of a parameter, and its annotation where a lambda has none."""
        name = self.expect("name")
        if name in names or name == "__debug__":
            raise NotPythonError("parameter given twice")
        names.add(name)
        if closer == ")" and self.skip(":"):
            yield self.star_expression() if starred else self.expression()
        return 0

    def type_parameters(self) -> Rule:
        """``[T: bound = default, *Ts, **P]``."""
        names: set[str] = set()
        self.expect("[")
        while True:
            star = self.skip("*")
            stars = not star and self.skip("**")
            name = self.expect("name")
            if name in names:
                raise NotPythonError("type parameter given twice")
            names.add(name)
            if not star and not stars and self.skip(":"):
                yield self.expression()
            if self.skip("="):
                yield self.star_expression() if star else self.expression()
            if not self.skip(",") or self.kinds[self.at] == "]":
                break
        self.expect("]")
        return 0

    # Patterns

    def patterns(self) -> Rule:
        """What stands after ``case``: a pattern, or a sequence of them without brackets."""
        names: set[str] = set()
        comma = True
        while comma and self.kinds[self.at] not in ("if", ":"):
            yield self.pattern(names, star=True)
            comma = self.skip(",")
        self.bind(*names)
        return 0

    def pattern(self, names: set[str], *, star: bool = False) -> Rule:
        """A pattern with its alternatives and its name."""
        if star and self.skip("*"):
            self.capture(names)
            return 0
        seen = set(names)
        yield self.closed_pattern(names)
        if self.kinds[self.at] == "|":
            while self.skip("|"):
                other = set(seen)
                yield self.closed_pattern(other)
                names |= other
        if self.skip("as"):
            self.capture(names)
        return 0

    def capture(self, names: set[str]) -> None:
        name = self.expect("name")
        if name in names:
            raise NotPythonError("captured twice")
        if name != "_":
            names.add(name)

    def closed_pattern(self, names: set[str]) -> Rule:
        kind = self.kinds[self.at]
        if kind in ("number", "-"):
            self.signed_number()
        elif kind in ("string", "bytes"):
            yield self.strings()
        elif kind in ("None", "True", "False"):
            self.at += 1
        elif kind == "name":
            if self.kinds[self.at + 1] not in (".", "("):
                self.capture(names)
                return 0
            self.at += 1
            while self.skip("."):
                self.expect("name")
            if self.skip("("):
                yield self.class_pattern(names)
        elif self.skip("(") or self.skip("["):
            closer = ")" if kind == "(" else "]"
            while not self.skip(closer):
                yield self.pattern(names, star=True)
                if not self.skip(","):
                    self.expect(closer)
                    break
        elif self.skip("{"):
            yield self.mapping_pattern(names)
        else:
            raise NotPythonError("no pattern")
        return 0

    def signed_number(self) -> None:
        self.skip("-")
        self.expect("number")
        if self.skip("+") or self.skip("-"):
            self.expect("number")

    def class_pattern(self, names: set[str]) -> Rule:
        keywords: set[str] = set()
        while not self.skip(")"):
            if self.kinds[self.at] == "name" and self.kinds[self.at + 1] == "=":
                name = self.expect("name")
                if name in keywords:
                    raise NotPythonError("keyword given twice")
                keywords.add(name)
                self.at += 1
            elif keywords:
                raise NotPythonError("positional pattern after a keyword")
            yield self.pattern(names)
            if not self.skip(","):
                self.expect(")")
                break
        return 0

    def mapping_pattern(self, names: set[str]) -> Rule:
        while not self.skip("}"):
            if self.skip("**"):
                self.capture(names)
                self.skip(",")
                self.expect("}")
                break
            kind = self.kinds[self.at]
            if kind == "name":
                self.at += 1
                self.expect(".")
                self.expect("name")
                while self.skip("."):
                    self.expect("name")
            elif kind in ("number", "-", "string", "bytes", "None", "True", "False"):
                yield self.closed_pattern(names)
            else:
                raise NotPythonError("no key")
            self.expect(":")
            yield self.pattern(names)
            if not self.skip(","):
                self.expect("}")
                break
        return 0


_LAMBDA = _Scope("function")


class _Program(_Parser):
    """The statements of a program, a logical line at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.body = _Body(self.scope)
        self.blocks = [_Block(0, 0, self.body)]
        self.opened: _Body | None = None  # what the next line has to be indented for
        self.decorated = False

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
            self.acts = True
            self.COMPOUND[kind](self)
        elif kind == "name" and self.values[0] == "match" and self.kinds[-2] == ":" and len(self.kinds) > 3:
            self.match()
        else:
            self.simple_statements()
        self.end_line()

    def end(self) -> None:
        """Refuse a program that lacks its last part."""
        if self.opened or self.decorated:
            raise NotPythonError("unfinished block")
        for block in self.blocks:
            self.close_statement(block)

    def end_line(self) -> None:
        self.names.clear()
        if self.awaits:
            raise NotPythonError("await outside an async function")

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
        while line.column < self.blocks[-1].column:
            self.close_statement(self.blocks.pop())
        block = self.blocks[-1]
        if (line.column, line.tab_column) != (block.column, block.tab_column):
            raise NotPythonError("inconsistent indentation")

    def suite(self, body: _Body, clause: str = "") -> None:
        """Read the colon of a compound statement and what follows it on the line."""
        self.expect(":")
        block = self.blocks[-1]
        block.follow = _FOLLOW.get(clause, frozenset())
        block.owed = clause == "try"
        if self.kinds[self.at] == "newline":
            self.opened = body
            return
        if self.awaits:
            raise NotPythonError("await outside an async function")
        self.body, self.scope = body, body.scope
        self.simple_statements()

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
        mark = len(self.names)
        self.run(self.targets())
        self.bind(*self.names[mark:])
        del self.names[mark:]
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
                if not use & _TARGET:
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
        self.run(self.parameters(")"))
        self.expect(")")
        if self.skip("->"):
            self.run(self.expression())
        self.suite(_Body(_Scope("function", is_async)))

    def class_(self) -> None:
        self.at += 1
        self.decorated = False
        self.bind(self.expect("name"))
        if self.kinds[self.at] == "[":
            self.run(self.type_parameters())
        if self.skip("("):
            self.run(self.arguments())
        self.suite(_Body(_Scope("class")))

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
        while self.skip(",") and self.kinds[self.at] in _EXPRESSION_STARTS:
            self.run(self.element())
        self.suite(replace(self.body, cases=True))
        if self.opened is None:
            raise NotPythonError("match without a block")

    def case(self) -> None:
        if self.kinds[0] != "name" or self.values[0] != "case":
            raise NotPythonError("no case")
        self.at += 1
        if self.kinds[self.at] in ("if", ":"):
            raise NotPythonError("no pattern")
        self.run(self.patterns())
        if self.skip("if"):
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
                while self.skip(",") and self.kinds[self.at] in _EXPRESSION_STARTS:
                    self.run(self.expression())
            elif self.skip("as"):
                self.expect("name")
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
            self.names.clear()
            if self.skip("newline"):
                return
            self.expect(";")
            if self.skip("newline"):
                return

    def simple_statement(self) -> None:
        kind = self.kinds[self.at]
        if kind in self.SIMPLE:
            self.acts = self.acts or kind != "pass"
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
                if not use & _TARGET:
                    raise NotPythonError("no target")
                self.bind(*self.names)
                self.names.clear()
                use = self.run(self.value())
        elif kind == ":" and use & _SINGLE:
            self.at += 1
            names = self.names[:]
            acts = self.acts
            self.run(self.expression())
            self.acts = acts  # "Note: this is O(n)"
            if self.skip("="):
                self.acts = True
                self.bind(*names)
                self.run(self.value())
        elif kind in _AUGMENTED and use & _SINGLE:
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
        if self.scope.kind != "function":
            raise NotPythonError("return outside a function")
        if self.kinds[self.at] in _EXPRESSION_STARTS:
            self.run(self.expressions())

    def raise_(self) -> None:
        if self.kinds[self.at] in _EXPRESSION_STARTS:
            self.run(self.expression())
            if self.skip("from"):
                self.run(self.expression())

    def del_(self) -> None:
        if not self.run(self.expressions()) & _DELETABLE:
            raise NotPythonError("cannot be deleted")

    def assert_(self) -> None:
        self.run(self.expression())
        if self.skip(","):
            self.run(self.expression())

    def global_(self) -> None:
        self.expect("name")
        while self.skip(","):
            self.expect("name")

    def nonlocal_(self) -> None:
        if self.scope.kind == "module":
            raise NotPythonError("nonlocal at module level")
        self.global_()

    def import_(self) -> None:
        while True:
            name = self.expect("name")
            while self.skip("."):
                self.expect("name")
            self.bind(self.expect("name") if self.skip("as") else name)
            if not self.skip(","):
                return

    def from_(self) -> None:
        dots = False
        while self.skip(".") or self.skip("..."):
            dots = True
        if not dots or self.kinds[self.at] == "name":
            self.expect("name")
            while self.skip("."):
                self.expect("name")
        self.expect("import")
        if self.skip("*"):
            if self.scope.kind != "module":
                raise NotPythonError("import of everything in a function")
            return
        bracket = self.skip("(")
        while True:
            name = self.expect("name")
            self.bind(self.expect("name") if self.skip("as") else name)
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
