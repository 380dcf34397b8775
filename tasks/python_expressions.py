"""The expressions, parameters and patterns of Python, read from the tokens of a logical line.

A rule of the grammar is a generator that yields the rules it consists of; ``Expressions.run`` drives them on a stack of
its own, so nesting costs neither the interpreter's stack nor more than linear time. What a rule returns, its use, says
what the expression may stand for: the target of an assignment or of ``del``, or a value alone.
Builds no tree, and knows no statement.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import NamedTuple

from turnwise.tasks.python_tokens import NotPythonError, words

DEEPEST_EXPRESSION = 2000
"""Rules open at one place: brackets take up to five each, a lambda in the default of a lambda three."""

# The use of an expression, in bits.
TARGET = 1  # assigned to
DELETABLE = 2
SINGLE = 4  # assigned to with an operator, or annotated
NAME = 8  # a name without brackets
STARRED = 16
LOOSE = 32  # not, and, or, or a comparison, which no star may stand before
PLACE = TARGET | DELETABLE | SINGLE

_CONSTANTS = words("number None True False ...")
_STRINGS = words("string bytes fstring")
_UNARY = words("+ - ~")
_ARITHMETIC = words("+ - * / // % @ ** << >> & | ^")
_COMPARISONS = words("< > == >= <= != in is")
EXPRESSION_STARTS = _CONSTANTS | _STRINGS | _UNARY | words("name ( [ { not lambda await *")
_TRAILERS = frozenset({".", "(", "["})

Rule = Generator["Rule", int, int]
# The names that a pattern captures, in the order of the text.
_Captures = dict[str, None]


@dataclass(slots=True, eq=False)
class Scope:
    """Whose names these are: "module", "class" or "function", and what is known of them so far.

    ``sought`` are the names that functions in it take from a function around them, ``nonlocals`` those of its own.
    """

    kind: str
    is_async: bool = False
    outer: "Scope | None" = None
    bound: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    sought: set[str] = field(default_factory=set)
    yields: bool = False
    returns_value: bool = False


class _Marks(NamedTuple):
    """How much of each kind has been read."""

    awaits: int
    yields: int
    walruses: int
    uses: int


class Expressions:
    """The expressions of one logical line after the other: generators that ``run`` drives, so that none recurses."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.values: list[str] = []
        self.at = 0
        self.scope = Scope("module")
        self.acts = False
        self.called: list[str] = []  # names that are called at module level
        # Of the statement at hand, in the order of the text: the names of what may be a target, all names that its
        # scope uses, and those that := binds.
        self.names: list[str] = []
        self.uses: list[str] = []
        self.walruses: list[str] = []
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
        self.scope.bound.update(names)

    def marks(self) -> _Marks:
        """Return how much has been read of what a comprehension around it forbids or hides."""
        return _Marks(self.awaits, self.yields, len(self.walruses), len(self.uses))

    # Operators

    def named_expression(self) -> Rule:
        """An expression, or ``name := expression``."""
        mark = len(self.names)
        use = yield self.expression()
        if use & NAME and self.skip(":="):
            self.acts = True
            self.bind(self.names[-1])
            self.walruses.append(self.names[-1])
            del self.names[mark:]
            yield self.expression()
            use = 0
        return use

    def expression(self) -> Rule:
        """Lambdas and conditionals, down to what ``or`` joins."""
        outer = self.scope
        before: _Marks | None = None
        use = -1
        while True:
            if self.skip("lambda"):
                yield self.parameters(":", set())
                self.expect(":")
                before = before or self.marks()
                self.scope = Scope("function", outer=outer)
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
        if not use & TARGET:
            del self.names[mark:]
        if before:
            if self.awaits != before.awaits:
                raise NotPythonError("await in a lambda")
            self.yields = before.yields
            del self.walruses[before.walruses :]
            del self.uses[before.uses :]
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
                loose = LOOSE
            while kinds[self.at] in _UNARY:
                self.at += 1
                prefixed = True
            if self.skip("await"):
                prefixed = True
                if not self.scope.is_async:
                    self.awaits += 1
            kind = kinds[self.at]
            if kind == "name" and kinds[self.at + 1] not in _TRAILERS:
                self.names.append(self.values[self.at])
                self.uses.append(self.values[self.at])
                self.at += 1
                operand = PLACE | NAME
            elif kind == "number" and kinds[self.at + 1] not in _TRAILERS:
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
                loose = LOOSE
            elif kind in _COMPARISONS or (kind == "not" and kinds[self.at + 1] == "in"):
                negatable = False
                loose = LOOSE
                if kind == "not" or (kind == "is" and kinds[self.at + 1] == "not"):
                    self.at += 1
            else:
                break
            self.at += 1
            use = 0
        if not use & TARGET:
            del self.names[mark:]
        return use | loose

    def primary(self) -> Rule:
        """An atom with the calls, subscripts and attributes after it."""
        mark = len(self.names)
        kind = self.kinds[self.at]
        use = 0
        if kind == "name":
            self.names.append(self.expect("name"))
            self.uses.append(self.names[-1])
            use = PLACE | NAME
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
                use = PLACE
            elif self.skip("("):
                if use & NAME and self.kinds[self.at - 2] == "name" and self.scope.kind == "module":
                    self.called.append(self.values[self.at - 2])
                else:
                    self.acts = True
                yield self.arguments()
                use = 0
            elif self.skip("["):
                yield self.subscript()
                use = PLACE
            else:
                break
            del self.names[mark:]
        if not use & TARGET:
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

    def elements(self, closer: str, *, more: bool = False) -> Rule:
        """The elements of a tuple, a list or a set, or more of them, or a comprehension, with the closing bracket."""
        mark = len(self.names)
        use = TARGET | DELETABLE
        starred = count = 0
        comma = False
        before = self.marks()
        while not self.skip(closer):
            if count and not comma:
                raise NotPythonError("no comma")
            element = yield self.element()
            count += 1
            if count == 1 and not more and self.kinds[self.at] in ("for", "async"):
                if element & STARRED:
                    raise NotPythonError("star in a comprehension")
                del self.names[mark:]
                yield self.comprehension(before, is_generator=closer == ")")
                self.expect(closer)
                return 0
            comma = self.skip(",")
            starred += bool(element & STARRED)
            if closer == ")" and count == 1 and not comma:
                if starred:
                    raise NotPythonError("star in brackets")
                self.expect(closer)
                return element & ~(NAME | LOOSE)
            use &= element
        if starred > 1:
            use = 0
        if not use & TARGET:
            del self.names[mark:]
        return use

    def element(self) -> Rule:
        """A named expression, or a starred one; what is starred cannot be deleted."""
        if not self.skip("*"):
            return (yield self.named_expression())
        use = yield self.disjunction()
        if use & LOOSE:
            raise NotPythonError("star before a condition")
        return (use & TARGET) | STARRED

    def braces(self) -> Rule:
        """A set or a dict, or a comprehension of either."""
        if self.skip("}"):
            return 0
        if self.kinds[self.at] != "**":
            start, mark = self.at, len(self.names)
            before = self.marks()
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
                yield self.elements("}", more=True)
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
                if (yield self.disjunction()) & LOOSE:
                    raise NotPythonError("stars before a condition")
            else:
                yield self.expression()
                self.expect(":")
                yield self.expression()
            if not self.skip(","):
                self.expect("}")
                break
        return 0

    def comprehension(self, before: _Marks, *, is_generator: bool = False) -> Rule:
        """The ``for`` and ``if`` clauses after an element, with what had been read before that."""
        variables: set[str] = set()
        first = True
        outer_awaits = outer_yields = 0
        while True:
            if self.skip("async") and not self.scope.is_async:
                self.awaits += 1
            self.expect("for")
            mark = len(self.names)
            yield self.targets()
            variables.update(self.names[mark:])
            del self.names[mark:]
            self.expect("in")
            start = self.marks()
            yield self.disjunction()
            if len(self.walruses) > start.walruses:
                raise NotPythonError("assignment in what a comprehension goes through")
            if first:  # evaluated where the comprehension stands
                outer_awaits, outer_yields = self.awaits - start.awaits, self.yields - start.yields
            first = False
            del self.names[mark:]
            while self.skip("if"):
                # Python 3.8 takes a lambda here.
                yield self.expression() if self.kinds[self.at] == "lambda" else self.disjunction()
                del self.names[mark:]
            if self.kinds[self.at] not in ("for", "async"):
                break
        if self.yields - outer_yields != before.yields:
            raise NotPythonError("yield in a comprehension")
        assigned = self.walruses[before.walruses :]
        if assigned and (self.scope.kind == "class" or not variables.isdisjoint(assigned)):
            raise NotPythonError("assignment in a comprehension")
        if is_generator:
            self.awaits = before.awaits + outer_awaits
        del self.uses[before.uses :]
        return 0

    def targets(self) -> Rule:
        """The targets of a loop, up to ``in``."""
        count = starred = 0
        comma = True
        while comma and self.kinds[self.at] != "in":
            starred += self.skip("*")
            if not (yield self.primary()) & TARGET:
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
                before = self.marks()
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
            colons = 0
            if self.skip("*"):
                yield self.expression()
                colons = 2
            elif self.kinds[self.at] != ":":
                if self.kinds[self.at + 1] == ":=":
                    colons = 2
                yield self.named_expression()
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
            if use & STARRED:
                raise NotPythonError("star alone")
            return use & ~LOOSE
        starred = 1 if use & STARRED else 0
        use &= TARGET | DELETABLE
        while self.skip(",") and self.kinds[self.at] in EXPRESSION_STARTS:
            element = yield self.star_expression()
            starred += bool(element & STARRED)
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
        self.scope.yields = True
        if self.skip("from"):
            if self.scope.is_async:
                raise NotPythonError("yield from in an async function")
            yield self.expression()
        elif self.kinds[self.at] in EXPRESSION_STARTS:
            yield self.expressions()
        return 0

    def value(self) -> Rule:
        """What stands right of an equals sign."""
        return (yield self.yield_expression() if self.kinds[self.at] == "yield" else self.expressions())

    def parameters(self, closer: str, names: set[str]) -> Rule:
        """The parameters of a function up to its closing bracket, or those of a lambda up to its colon."""
        count = 0
        default = star = bare = slash = False
        while self.kinds[self.at] != closer:
            count += 1
            if self.skip("/"):
                if count == 1 or slash or star:
                    raise NotPythonError("misplaced slash")
                slash = True
            elif not bare and self.skip("**"):
                yield self.parameter(names, closer)
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
        if bare or self.kinds[self.at] != closer:
            raise NotPythonError("no parameter")
        return 0

    def parameter(self, names: set[str], closer: str, *, starred: bool = False) -> Rule:
        """The name of a parameter, and its annotation where a lambda has none."""
        name = self.expect("name")
        if name in names or name == "__debug__":
            raise NotPythonError("parameter given twice")
        names.add(name)
        if closer == ")" and self.skip(":"):
            count = len(self.uses)
            yield self.star_expression() if starred else self.expression()
            del self.uses[count:]
        return 0

    def type_parameters(self) -> Rule:
        """``[T: bound = default, *Ts, **P]``."""
        names: set[str] = set()
        count = len(self.uses)
        default = False
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
                default = True
                yield self.star_expression() if star else self.expression()
            elif default:
                raise NotPythonError("type parameter without default after one with it")
            if not self.skip(",") or self.kinds[self.at] == "]":
                break
        self.expect("]")
        del self.uses[count:]
        return 0

    # Patterns

    def patterns(self) -> Rule:
        """What stands after ``case``: a pattern, or a sequence of them without brackets."""
        names: _Captures = {}
        use = yield self.sequence_pattern(names, ("if", ":"))
        if use & STARRED:
            raise NotPythonError("star alone")
        self.bind(*names)
        return use

    def sequence_pattern(self, names: _Captures, closers: tuple[str, ...]) -> Rule:
        """Patterns with commas between them, up to the closer; the use is that of a pattern that stands alone."""
        use = count = starred = 0
        comma = True
        while comma and self.kinds[self.at] not in closers:
            if self.skip("*"):
                self.capture(names)
                starred += 1
                use = STARRED
            else:
                use = yield self.pattern(names)
            count += 1
            comma = self.skip(",")
        if starred > 1 or self.kinds[self.at] not in closers or (not count and "if" in closers):
            raise NotPythonError("no pattern")
        return use if count == 1 and not comma else 0

    def pattern(self, names: _Captures) -> Rule:
        """Alternatives and the name they get; the use is NAME where it matches anything."""
        count = len(names)
        use = yield self.closed_pattern(names)
        if self.kinds[self.at] == "|":
            first = _taken(names, count)
            while self.skip("|"):
                if use:
                    raise NotPythonError("alternative that nothing is left for")
                use = yield self.closed_pattern(names)
                if _taken(names, count) != first:
                    raise NotPythonError("alternatives that capture other names")
            names.update(first)
        if self.skip("as"):
            self.capture(names)
        return use

    def capture(self, names: _Captures) -> None:
        name = self.expect("name")
        if name in names:
            raise NotPythonError("captured twice")
        if name != "_":
            names[name] = None

    def closed_pattern(self, names: _Captures) -> Rule:
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
                return NAME
            self.at += 1
            while self.skip("."):
                self.expect("name")
            if self.skip("("):
                yield self.class_pattern(names)
        elif self.skip("(") or self.skip("["):
            closer = ")" if kind == "(" else "]"
            use = yield self.sequence_pattern(names, (closer,))
            self.expect(closer)
            if closer == ")" and use & STARRED:
                raise NotPythonError("star alone")
            return use if closer == ")" else 0
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

    def class_pattern(self, names: _Captures) -> Rule:
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

    def mapping_pattern(self, names: _Captures) -> Rule:
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


def _taken(names: _Captures, count: int) -> _Captures:
    """Take all but the first ``count`` names out and return them."""
    return dict(names.popitem() for _ in range(len(names) - count))
