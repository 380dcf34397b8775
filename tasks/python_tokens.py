"""The tokens of a text that may be Python, and its string literals and comments.

``logical_lines`` gives what the grammar reads; ``QuotedText`` tells where strings and comments lie, in any text.
Both walk the text once and keep a stack of their own, so neither long nor deeply nested text costs more than its
length. An f-string is split as Python 3.12 does, which takes all that older versions take.
Does not evaluate a literal, and does not use the interpreter's own tokenizer, whose verdict changes with its version.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

DEEPEST_BRACKETS = 200
"""Open brackets and f-strings at one place; CPython's own limit of brackets."""
LONGEST_INTEGER = 4300
"""Decimal digits; CPython's own limit, which no other base has."""


def words(text: str) -> frozenset[str]:
    """Return the words of a table."""
    return frozenset(text.split())


KEYWORDS = words(
    "False None True and as assert async await break class continue def del elif else except finally for from global"
    " if import in is lambda nonlocal not or pass raise return try while with yield"
)
_CLOSERS = {"(": ")", "[": "]", "{": "}"}
_OPERATORS = words(
    "... **= //= >>= <<= != -> := += -= *= /= %= &= |= ^= @= == <= >= ** // << >>"
    " + - * / % @ & | ^ ~ < > ( ) [ ] { } , : . ; = !"
)
_PREFIX = r"(?i:[fu]|t|b|rb?|br|fr|rf|tr|rt)"
_QUOTE = "'''|\"\"\"|'|\""
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_TOKEN = re.compile(
    rf"""[ \t\f]*+(?:
    (?P<quote>{_PREFIX}?(?:{_QUOTE}))
    |(?P<name>[A-Za-z_\x80-\U0010ffff][A-Za-z_0-9\x80-\U0010ffff]*+)
    |(?P<number>
        0[xX](?:_?[0-9a-fA-F])+ | 0[oO](?:_?[0-7])+ | 0[bB](?:_?[01])+
        | (?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][-+]?{_DIGITS})?[jJ]?
    )
    |(?P<operator>{"|".join(map(re.escape, sorted(_OPERATORS, key=len, reverse=True)))})
    |(?P<newline>\r\n?|\n)
    |(?P<comment>\#[^\r\n]*+)
    |(?P<continuation>\\(?:\r\n?|\n))
    |(?P<end>\Z)
    )""",
    re.VERBOSE,
)
_LEADING_ZERO = re.compile(r"0[0-9_]*[1-9][0-9_]*")
_SPACE = re.compile(r"[ \t\f]*+")
# Where to stop in the body of a string, by its quotes: at an escape, the end, or the end of a line that forbids it.
_STOPS = {
    quote: re.compile(rf"\\(?:\r\n|[\s\S])?|{quote}" + ("" if len(quote) == 3 else r"|[\r\n]"))
    for quote in _QUOTE.split("|")
}
# The same in the literal part of an f-string, where braces count and a backslash does not hide them.
_FSTRING_STOPS = {
    prefix + quote: re.compile(rf"\\(?:{named}\r\n|[^{{}}])?|[{{}}]|{quote}" + ("" if len(quote) == 3 else r"|[\r\n]"))
    for quote in _QUOTE.split("|")
    for prefix, named in (("", r"N\{[^{}\r\n]*\}|"), ("r", ""))
}
_ESCAPE = re.compile(
    r"\\(?:(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U(?:000[0-9a-fA-F]|0010)[0-9a-fA-F]{4}|N\{[^{}]+\})|(?P<bad>[xuUN])|[\s\S])"
)
_BYTES_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|(?P<bad>x)|[\s\S])")
_QUOTED = re.compile(rf"(?:(?<![A-Za-z_0-9\x80-\U0010ffff]){_PREFIX})?(?:{_QUOTE})|\#")
_COMMENT = re.compile(r"\#[^\r\n]*+")


class NotPythonError(ValueError):
    """The text is no Python program, or is past the bounds."""


@dataclass(frozen=True, slots=True)
class LogicalLine:
    """A line as the grammar sees it: brackets closed, continuations joined, comments gone.

    ``kinds`` has a kind for every token and "newline" at its end: a keyword or an operator is its own kind, the rest
    is name, number, string, bytes and the parts of an f-string (fstring, field, spec, endfield, endfstring).
    ``values`` has the text of each name. ``column`` counts a tab as up to 8 columns, ``tab_column`` as one.
    """

    column: int
    tab_column: int
    kinds: list[str]
    values: list[str]


def logical_lines(text: str) -> Iterator[LogicalLine]:
    """Yield the lines that hold a token; raise NotPythonError at the first thing that is no token."""
    scanner = _Scanner(text, 1 if text.startswith("\ufeff") else 0)
    kind = ""
    while kind != "end":
        column, tab_column = scanner.indentation()
        kinds: list[str] = []
        values: list[str] = []
        while True:
            kind, value = scanner.token()
            if kind in ("newline", "end"):
                break
            kinds.append(kind)
            values.append(value)
        if kinds:
            kinds.append("newline")
            values.append("")
            yield LogicalLine(column, tab_column, kinds, values)


class QuotedText:
    """Tells where string literals and comments lie in a text, from any place on, in linear time over all questions."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._unclosed: set[str] = set()
        self._spare = len(text)  # what may be read again after an f-string that is none by the rule of Python 3.12

    def spans(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield begin and end of the string literals, prefixes included, and comments that begin in ``start:stop``.

        A string in single quotes that its line does not close ends there and is none, nor is one in triple quotes
        that nothing closes: "don't" hides no more than the rest of its line.
        """
        at = start
        while match := _QUOTED.search(self._text, at, stop):
            begin, at = match.span()
            opening = match.group()
            if opening == "#":
                comment = _COMMENT.match(self._text, begin)
                at = comment.end() if comment else at
                yield begin, at
                continue
            quote = opening.lstrip("rbuftRBUFT")
            end = None if {"f", "t"}.isdisjoint(opening.lower()) else self._end_of_f_string(begin)
            if end is None and quote not in self._unclosed:
                end, searched = _string_end(self._text, at, quote)
                if end is None and len(quote) == 3:
                    self._unclosed.add(quote)
                elif end is None:
                    at = searched
            if end is not None:
                yield begin, end
                at = end

    def _end_of_f_string(self, begin: int) -> int | None:
        if self._spare <= 0:
            return None
        scanner = _Scanner(self._text, begin)
        try:
            scanner.token()
            while scanner.modes:
                scanner.token()
        except NotPythonError:
            self._spare -= scanner.at - begin
            return None
        return scanner.at


def _string_end(text: str, at: int, quote: str) -> tuple[int | None, int]:
    """Return the end of the string whose body begins ``at`` or None, and where the search for it ended."""
    stops = _STOPS[quote]
    while match := stops.search(text, at):
        at = match.end()
        stop = match.group()
        if stop == quote:
            return at, at
        if not stop.startswith("\\"):
            return None, at
    return None, len(text)


class _Scanner:
    """Reads one token after the other.

    ``modes`` is what is open, innermost last: the closer of a bracket, "field" or "spec" for the two parts of a
    replacement field, or the quotes of an f-string, with an r in front where it is raw.
    """

    __slots__ = ("at", "modes", "quotes", "text")

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at
        self.modes: list[str] = []
        self.quotes: list[str] = []

    def indentation(self) -> tuple[int, int]:
        """Return the column of the first token of a line, with tabs as up to 8 columns and as one."""
        if match := _SPACE.match(self.text, self.at):
            self.at = match.end()
        space = match[0].rpartition("\f")[2] if match else ""
        if "\t" not in space:
            return len(space), len(space)
        column = 0
        for character in space:
            column = (column // 8 + 1) * 8 if character == "\t" else column + 1
        return column, len(space)

    def token(self) -> tuple[str, str]:
        """Return kind and value of the next token."""
        modes = self.modes
        if modes and (modes[-1] == "spec" or modes[-1] in _FSTRING_STOPS):
            return self._literal()
        while True:
            match = _TOKEN.match(self.text, self.at)
            if match is None:
                raise NotPythonError("no token")
            self.at = match.end()
            kind = str(match.lastgroup)
            if kind == "name":
                value = match["name"]
                if value in KEYWORDS:
                    return value, value
                if not value.isascii():
                    if not value.isidentifier():
                        raise NotPythonError("no identifier")
                    value = unicodedata.normalize("NFKC", value)
                return kind, value
            if kind == "operator":
                return self._operator(match["operator"])
            if kind == "number":
                value = match["number"]
                if _LEADING_ZERO.fullmatch(value):
                    raise NotPythonError("leading zeros")
                if len(value) > LONGEST_INTEGER and value.isdecimal():
                    raise NotPythonError("number too long")
                return kind, ""
            if kind == "quote":
                return self._quoted(match["quote"])
            if kind == "end":
                if modes:
                    raise NotPythonError("open bracket")
                return kind, ""
            if kind == "newline" and not modes:
                return kind, ""
            if kind == "continuation" and self.at == len(self.text):
                raise NotPythonError("nothing after a backslash")

    def _operator(self, value: str) -> tuple[str, str]:
        modes = self.modes
        if value in _CLOSERS:
            self._open(_CLOSERS[value])
        elif value in (")", "]", "}"):
            closed = modes.pop() if modes else ""
            if value == "}" and closed == "field":
                return "endfield", ""
            if closed != value:
                raise NotPythonError("unbalanced bracket")
        elif modes and modes[-1] == "field":
            if value in (":", ":="):
                self.at -= len(value) - 1
                modes[-1] = "spec"
                return "spec", ""
        elif value == "!":
            raise NotPythonError("no token")
        return value, value

    def _open(self, mode: str) -> None:
        if len(self.modes) >= DEEPEST_BRACKETS:
            raise NotPythonError("too many open brackets")
        self.modes.append(mode)

    def _quoted(self, opening: str) -> tuple[str, str]:
        quote = opening.lstrip("rbuftRBUFT")
        prefix = opening[: -len(quote)].lower()
        raw = "r" in prefix
        if "f" in prefix or "t" in prefix:
            self.quotes.append("r" * raw + quote)
            self._open("r" * raw + quote)
            return "fstring", ""
        begin = self.at
        end, self.at = _string_end(self.text, begin, quote)
        if end is None:
            raise NotPythonError("unterminated string")
        body = self.text[begin:end]
        kind = "bytes" if "b" in prefix else "string"
        if kind == "bytes" and not body.isascii():
            raise NotPythonError("bytes beyond ASCII")
        if not raw and "\\" in body:
            escapes = _BYTES_ESCAPE if kind == "bytes" else _ESCAPE
            if any(match["bad"] for match in escapes.finditer(body)):
                raise NotPythonError("bad escape")
        return kind, ""

    def _literal(self) -> tuple[str, str]:
        """Read on in the literal part of an f-string, or of the format in a field, up to the next field or the end."""
        opening = self.quotes[-1]
        stops = _FSTRING_STOPS[opening]
        quote = opening.removeprefix("r")
        in_spec = self.modes[-1] == "spec"
        while match := stops.search(self.text, self.at):
            self.at = match.end()
            stop = match.group()
            if stop in ("{", "}") and not in_spec and self.text.startswith(stop, self.at):
                self.at += 1
            elif stop == "{":
                self._open("field")
                return "field", ""
            elif stop == "}" and in_spec:
                self.modes.pop()
                return "endfield", ""
            elif stop == quote and not in_spec:
                self.modes.pop()
                self.quotes.pop()
                return "endfstring", ""
            elif in_spec and stop != quote and not stop.startswith("\\"):
                self.modes[-1] = "field"  # the format ends with its line, where no other may begin
                return self.token()
            elif not stop.startswith("\\"):
                raise NotPythonError("unterminated f-string")
            elif opening == quote and (escape := _ESCAPE.match(self.text, match.start())) and escape["bad"]:
                raise NotPythonError("bad escape")
        self.at = len(self.text)
        raise NotPythonError("unterminated f-string")
