"""A call's result as it came, one line of tagged JSON that a hostile program may have written, read piece by piece.

>>> result = Result(b'{"t": [1, "a"]}')
>>> kind = result.value()
>>> [result.value() for _ in result.items(kind)]
[1, 'a']

values.py says what the line means. Nothing of it is built that its reader does not ask for: no list, no set, no dict,
and nothing is hashed, whose cost the writer could choose. What lies beyond ``limit`` bytes is not read. So comparing
(matching.py, oracles.py) takes work in proportion to the expected value, and memory for no more than that.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from fractions import Fraction
from hashlib import sha256
from itertools import groupby
from typing import Any

from turnwise.benchmarks.integers import format_integer
from turnwise.benchmarks.values import MAXIMUM_DEPTH, Opaque, describe_size

_TOKEN = re.compile(
    r"""[ \t\n\r]*(?:
        (?P<list>\[)
      | \{"(?P<tag>[iufstzdcbqyh?])":[ ]*
      | (?P<text>(?="))
      | (?P<number>-?[0-9]+(?P<fraction>\.[0-9]+)?(?P<exponent>[eE][+-]?[0-9]+)?)
      | (?P<word>true|false|null)
    )""",
    re.VERBOSE,
)
_BLANKS = re.compile(r"[ \t\n\r]*")
_PARTIAL_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*(\\(?:u[0-9a-fA-F]{0,3})?)$")
_LONGEST_NUMBER = 400  # of a float as Python writes it, or an integer below 2**53, far less
_LONGEST_RATIO = 4096
_BODIES = {"c": 2, "q": 2, "h": 3}  # texts in a list
_WORDS = {"true": True, "false": False, "null": None}
_MORE_LEVELS = 4  # an encoder counts the levels of its own forms a little differently


class Collection(Enum):
    """What has items: ``value`` returns one of these, and ``items`` goes through it."""

    LIST = ""
    TUPLE = "t"
    SET = "s"
    FROZENSET = "z"
    DICT = "d"
    ITERABLE = "y"


class MalformedResultError(ValueError):
    """The result is not what values.py writes."""


class BeyondLimitError(Exception):
    """The result is larger than what the expected value allows."""


class Result:
    """One line of tagged JSON and how far it has been read; what is malformed raises MalformedResultError."""

    def __init__(self, output: bytes, *, limit: int | None = None) -> None:
        self._is_cut = limit is not None and len(output) > limit
        try:
            self._text = (output[:limit] if self._is_cut else output).decode("ascii")
        except UnicodeDecodeError:
            raise MalformedResultError("malformed value: not ASCII") from None
        self._at = 0
        self._depth = 0
        self._text_at = -1

    def restart(self) -> None:
        """Read from the beginning again."""
        self._at = self._depth = 0

    def value(self) -> Any:
        """Return the next value, or the Collection whose items come next."""
        token = _TOKEN.match(self._text, self._at)
        if token is None:
            raise self._malformed()
        self._at = token.end()
        if token["number"] is not None:
            return self._number(token)
        if token["text"] is not None:
            self._text_at = self._at
            text = self._string()
            self._text_at = -1
            return text
        if token["word"] is not None:
            return _WORDS[token["word"]]
        if token["list"] is not None:
            return Collection.LIST
        return self._tagged(token["tag"])

    def items(self, kind: Collection) -> Iterator[None]:
        """Yield before each item of the collection that ``value`` returned; the caller reads the item, whole."""
        self._depth += 1
        if self._depth > MAXIMUM_DEPTH + _MORE_LEVELS:
            raise MalformedResultError(f"value nested deeper than {MAXIMUM_DEPTH} levels")
        if not self._follows("]"):
            yield
            while self._follows(","):
                yield
            self.expect("]")
        if kind is not Collection.LIST:
            self.expect("}")
        self._depth -= 1

    def pairs(self) -> Iterator[None]:
        """Yield before each key of a dict; the caller reads the key, expects a comma, and reads the item."""
        for _ in self.items(Collection.DICT):
            self.expect("[")
            yield
            self.expect("]")

    def expect(self, mark: str) -> None:
        """Go past ``mark``."""
        if not self._follows(mark):
            raise self._malformed()

    def skip(self) -> None:
        """Go past one value."""
        kind = self.value()
        if kind is Collection.DICT:
            for _ in self.pairs():
                self.skip()
                self.expect(",")
                self.skip()
        elif isinstance(kind, Collection):
            for _ in self.items(kind):
                self.skip()

    def finish(self) -> None:
        """Raise unless all has been read."""
        end = self._past_blanks()
        if self._is_cut or end < len(self._text):
            raise self._malformed()

    def form(self, value: object) -> bytes:
        """Return the form of what ``value`` returned, read whole; raises TypeError for what cannot be in a set."""
        if value is Collection.TUPLE:
            return _joined(b"t", [self.form(self.value()) for _ in self.items(value)])
        if value is Collection.FROZENSET:
            return _digest([self.form(self.value()) for _ in self.items(value)])
        if isinstance(value, Collection):
            raise TypeError("unhashable")
        return _scalar_form(value, b"result")

    def text_before_limit(self) -> str | None:
        """Return what there is of a text, the last value read, that goes on beyond the limit, or None if it is none."""
        if self._text_at < 0:
            return None
        raw = self._text[self._text_at + 1 :]
        partial = _PARTIAL_ESCAPE.search(raw)
        try:
            return str(json.loads('"' + (raw[: partial.start(1)] if partial else raw) + '"'))
        except ValueError:
            return None

    def _number(self, token: "re.Match[str]") -> int | float:
        text = token["number"]
        if self._is_cut and self._at == len(self._text):
            raise self._malformed()
        if len(text) > _LONGEST_NUMBER:
            raise MalformedResultError("malformed value: a long number")
        if token["fraction"] is None and token["exponent"] is None:
            return int(text)
        number = float(text)
        if not math.isfinite(number):
            raise MalformedResultError(f"malformed value: bare {number!r}")
        return number

    def _string(self) -> str:
        self._at = self._past_blanks()
        if self._text[self._at : self._at + 1] != '"':
            raise self._malformed()
        try:
            text, self._at = _DECODER.raw_decode(self._text, self._at)
        except ValueError:
            raise self._malformed() from None
        return str(text)

    def _tagged(self, tag: str) -> object:
        if tag in _COLLECTION_TAGS:
            self.expect("[")
            return Collection(tag)
        if tag in _BODIES:
            self.expect("[")
            bodies = [self._string()]
            for _ in range(_BODIES[tag] - 1):
                self.expect(",")
                bodies.append(self._string())
            self.expect("]")
        else:
            bodies = [self._string()]
        self.expect("}")
        try:
            return _SCALARS[tag](*bodies)
        except ValueError:
            raise MalformedResultError(f"malformed value of tag {tag}") from None

    def _past_blanks(self) -> int:
        blanks = _BLANKS.match(self._text, self._at)
        return blanks.end() if blanks else self._at

    def _follows(self, mark: str) -> bool:
        at = self._at if self._text.startswith(mark, self._at) else self._past_blanks()
        if not self._text.startswith(mark, at):
            return False
        self._at = at + len(mark)
        return True

    def _malformed(self) -> Exception:
        return BeyondLimitError() if self._is_cut else MalformedResultError("malformed value")


_DECODER = json.JSONDecoder()
_COLLECTION_TAGS = frozenset(kind.value for kind in Collection if kind.value)


def form_of(value: object) -> bytes:
    """Return the form of a value of ours: two forms are the same if the values are equal, as Python has it.

    Raises TypeError for a value that cannot be in a set. NaN and opaque values equal nothing that a program returns.
    """
    if isinstance(value, tuple):
        return _joined(b"t", map(form_of, value))
    if isinstance(value, frozenset):
        return _digest([form_of(item) for item in value])
    if isinstance(value, list | set | dict):
        raise TypeError("unhashable")
    return _scalar_form(value, b"expected")


def show_result(output: bytes, limit: int) -> str:
    """Return the first ``limit`` characters of a result as Python writes it, or "" if it is malformed.

    Integers of a set stand in their order, everything else as it came; very long integers are hexadecimal.
    """
    parts: list[str] = []
    try:
        result = Result(output, limit=16 * limit)
        _show(result, parts, [limit])
    except BeyondLimitError:
        pass
    except ValueError:
        return ""
    return "".join(parts)[:limit]


def show_scalar(value: object) -> str:
    """Return a single value as Python writes it, whatever an integer's length."""
    if isinstance(value, bool) or not isinstance(value, int):
        return repr(value)
    return format_integer(value) if value.bit_length() <= 4 * _LONGEST_RATIO else hex(value)


def _show(result: Result, parts: list[str], left: list[int]) -> None:
    """Append the text of the next value to ``parts``; raises BeyondLimitError once no characters are left."""
    try:
        kind = result.value()
    except BeyondLimitError:
        text = result.text_before_limit()
        if text is not None:
            parts.append(repr(text)[:-1])
        raise
    if not isinstance(kind, Collection):
        _append(show_scalar(kind), parts, left)
        return
    begin, end = _BRACKETS[kind]
    _append(begin, parts, left)
    start, count = len(parts), 0
    for _ in result.pairs() if kind is Collection.DICT else result.items(kind):
        if count:
            _append(", ", parts, left)
        count += 1
        _show(result, parts, left)
        if kind is Collection.DICT:
            result.expect(",")
            _append(": ", parts, left)
            _show(result, parts, left)
    if kind is Collection.SET and not count:
        parts[-1], end = "set()", ""
    elif kind is Collection.FROZENSET and not count:
        parts[-1], end = "frozenset()", ""
    elif kind in (Collection.SET, Collection.FROZENSET):
        _sort_integers(parts, start)
    elif kind is Collection.TUPLE and count == 1:
        end = ",)"
    _append(end, parts, left)


_BRACKETS = {
    Collection.LIST: ("[", "]"),
    Collection.TUPLE: ("(", ")"),
    Collection.SET: ("{", "}"),
    Collection.FROZENSET: ("frozenset({", "})"),
    Collection.DICT: ("{", "}"),
    Collection.ITERABLE: ("<", ">"),
}


def _append(text: str, parts: list[str], left: list[int]) -> None:
    parts.append(text)
    left[0] -= len(text)
    if left[0] < 0:
        raise BeyondLimitError


def _sort_integers(parts: list[str], start: int) -> None:
    shown = parts[start::2]
    if all(re.fullmatch(r"-?[0-9]{1,20}", part) for part in shown):
        parts[start::2] = sorted(shown, key=int)


def _ratio(numerator: str, denominator: str) -> object:
    if max(len(numerator), len(denominator)) > _LONGEST_RATIO:
        return Opaque("ratio")
    below = int(denominator, 16)
    if below < 1:
        raise ValueError("no ratio")
    return Fraction(int(numerator, 16), below)


_SCALARS: dict[str, Callable[..., object]] = {
    "i": lambda body: int(body, 16),
    "u": lambda body: bytes.fromhex(body).decode("utf-8", "surrogatepass"),
    "f": float,
    "b": bytes.fromhex,
    "c": lambda real, imaginary: complex(float(real), float(imaginary)),
    "q": _ratio,
    "h": lambda *bodies: Opaque(describe_size(bodies[1])),
    "?": Opaque,
}


def _scalar_form(value: object, side: bytes) -> bytes:
    if value is None:
        return b"N"
    if isinstance(value, str):
        return b"s" + value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return b"b" + value
    if isinstance(value, complex):
        if value.imag != 0 or math.isnan(value.real):
            finite = not (math.isnan(value.real) or math.isnan(value.imag))
            return b"c%r %r" % (value.real + 0.0, value.imag) if finite else b"?" + side
        value = value.real
    if isinstance(value, float) and not math.isfinite(value):
        return b"f%r" % value if value == value else b"?" + side
    if isinstance(value, int | float | Fraction):
        numerator, denominator = value.as_integer_ratio()
        return b"n%x/%x" % (numerator, denominator)
    return b"?" + side


def _joined(mark: bytes, forms: Iterable[bytes]) -> bytes:
    parts = list(forms)
    return b"%s%d[" % (mark, len(parts)) + b"".join(b"%d:%s" % (len(part), part) for part in parts) + b"]"


def _digest(forms: list[bytes]) -> bytes:
    return b"z" + sha256(_joined(b"", (form for form, _ in groupby(sorted(forms))))).digest()
