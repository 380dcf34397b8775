"""Python values as tagged JSON: how arguments enter a function-call task and how results leave it.

>>> dumps((1, {2.5}))
'{"t": [1, {"s": [2.5]}]}'
>>> loads(dumps((1, {2.5})))
(1, {2.5})

JSON's own types stand for None, bool, str, list, small int and finite float (a number with a point or
an exponent, which JSON keeps exactly); everything else is an object with one key, its tag: i int
(hexadecimal), u str with lone surrogates, f float (inf, nan), t tuple, s set, z frozenset, d dict
(pairs), c complex, b bytes, q the exact ratio of a Decimal or Fraction, y the items of anything else that has some
(a generator, a dict view), ? opaque (only the type's name: it can be told from None, no more).
Instances of subclasses leave as their built-in base, so no class of a program reaches the judge.

The judged program's process loads this file by its path, in any supported interpreter: it imports
nothing of turnwise and keeps to the syntax of Python 3.8. It is no pickle: decoding never calls anything but the
constructors of the types above. But it builds sets and dicts, whose cost a hostile writer chooses: results of
programs are read by results.py.
"""

import json
import math
from itertools import chain, islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Set

    _JsonValue = Any

FORMAT = 1  # part of every fingerprint over encoded values
MAXIMUM_DEPTH = 100  # far from the interpreter's own limit: a level costs several frames
_SMALL_INTEGER = 2**53
_RATIOS = frozenset([("decimal", "Decimal"), ("fractions", "Fraction")])
_MOST_DIGITS = 1000
_MOST_ITEMS = 1_000_000
_PLAIN_TYPES = frozenset([type(None), bool, int, float, str])
_LISTS = frozenset([list])
_MOST_LEVELS_AT_ONCE = 4  # matrices; a deeper list is taken item by item, and its depth is counted


class Opaque:
    """A result of which only the type's name crossed the process boundary; equal to itself alone."""

    def __init__(self, type_name: "str") -> None:
        self.type_name = type_name

    def __repr__(self) -> "str":
        return "<%s>" % self.type_name


def dumps(value: "Any") -> str:
    """Return ``value`` as one line of tagged JSON; raises ValueError beyond MAXIMUM_DEPTH levels."""
    return json.dumps(encode(value), ensure_ascii=True)


def loads(text: str) -> "Any":
    """Return the value of one line of tagged JSON; raises ValueError for anything malformed."""
    try:
        return decode(json.loads(text))
    except (RecursionError, TypeError, LookupError, OverflowError) as error:
        raise ValueError("malformed value: " + type(error).__name__) from None


def encode(value: "Any", depth: int = 0) -> "_JsonValue":
    """Return the JSON form of ``value``; raises ValueError beyond MAXIMUM_DEPTH levels."""
    if depth > MAXIMUM_DEPTH:
        raise ValueError("value nested deeper than %d levels" % MAXIMUM_DEPTH)
    if value is None or value is True or value is False:
        return value
    kind = type(value)  # what isinstance asks, __class__, may lie
    for base, encoder in _ENCODERS:
        if issubclass(kind, base):
            return encoder(value, depth + 1)
    return _encode_foreign(value, depth)


def decode(data: "_JsonValue", depth: int = 0) -> "Any":
    """Return the value of the JSON form ``data``; raises ValueError, TypeError or KeyError if malformed."""
    if depth > MAXIMUM_DEPTH:
        raise ValueError("value nested deeper than %d levels" % MAXIMUM_DEPTH)
    if isinstance(data, list):
        return data if _is_plain(data, depth + 1) else [decode(item, depth + 1) for item in data]
    if isinstance(data, float) and not math.isfinite(data):
        raise ValueError("malformed value: bare %r" % data)
    if not isinstance(data, dict):
        return data
    if len(data) != 1:
        raise ValueError("malformed value: an object needs exactly one tag")
    ((tag, body),) = data.items()
    return _DECODERS[tag](body, depth + 1)


# The unbound methods of the built-in types are called, so that no override of a subclass can lie twice.
def _encode_integer(value: int, depth: int) -> "_JsonValue":
    number = int.__int__(value)
    return number if abs(number) < _SMALL_INTEGER else {"i": hex(number)}


def _encode_text(value: str, depth: int) -> "_JsonValue":
    text = str.__str__(value)
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # JSON would join two halves of a surrogate pair
        return {"u": text.encode("utf-8", "surrogatepass").hex()}
    return text


def _encode_float(value: float, depth: int) -> "_JsonValue":
    number = float.__float__(value)
    return number if math.isfinite(number) else {"f": float.__repr__(number)}


def _encode_items(items: "Any", depth: int) -> "List[_JsonValue]":
    listed = list(items)
    return listed if _is_plain(listed, depth) else [encode(item, depth) for item in listed]


def _is_plain(items: "List[Any]", depth: int) -> "bool":
    """Whether these, ``depth`` levels down, stand for themselves in JSON: nothing to encode, nothing to decode.

    Large lists are usual, and so are large lists of small ones, which are looked at as one.
    """
    kinds = set(map(type, items))
    for _ in range(min(_MOST_LEVELS_AT_ONCE, MAXIMUM_DEPTH - depth + 1)):
        if kinds != _LISTS:
            break
        items = list(chain.from_iterable(items))
        kinds = set(map(type, items))
    if not kinds <= _PLAIN_TYPES:
        return False
    if int in kinds:
        integers = _of_kind(int, items, kinds)
        if min(integers) <= -_SMALL_INTEGER or max(integers) >= _SMALL_INTEGER:
            return False
    if str in kinds and not all(map(str.isascii, _of_kind(str, items, kinds))):
        return False
    return float not in kinds or all(map(math.isfinite, _of_kind(float, items, kinds)))


def _of_kind(kind: "type", items: "List[Any]", kinds: "Set[type]") -> "List[Any]":
    return items if len(kinds) == 1 else [item for item in items if type(item) is kind]


def _encode_set(items: "Any", depth: int) -> "List[_JsonValue]":
    return sorted(_encode_items(items, depth), key=lambda item: json.dumps(item, sort_keys=True))


def _encode_dict(value: "Dict[Any, Any]", depth: int) -> "_JsonValue":
    return {"d": [[encode(key, depth), encode(item, depth)] for key, item in dict.items(value)]}


def _encode_complex(value: complex, depth: int) -> "_JsonValue":
    number = complex.__complex__(value) if hasattr(complex, "__complex__") else complex.__pos__(value)
    return {"c": [repr(number.real), repr(number.imag)]}


def _encode_foreign(value: "Any", depth: int) -> "_JsonValue":
    kind = type(value)
    if kind.__module__ == "numpy" and hasattr(kind, "item") and getattr(value, "shape", None) == ():
        plain = value.item()
        if type(plain) is not kind:  # a longdouble stays one
            return encode(plain, depth + 1)
    if (kind.__module__, kind.__name__) in _RATIOS:
        ratio = _encode_ratio(value)
        if ratio:
            return {"q": ratio}
    elif depth == 0 and hasattr(kind, "__iter__"):
        try:
            return _encode_iterable(value, depth + 1)
        except Exception:
            pass  # its items are for the tasks that ask for them
    return {"?": "%s.%s" % (kind.__module__, kind.__qualname__)}


def _encode_ratio(value: "Any") -> "List[str]":
    """Return numerator and denominator, or nothing where they are long or it is no number."""
    if hasattr(value, "adjusted") and not (value.is_finite() and -_MOST_DIGITS < value.adjusted() < _MOST_DIGITS):
        return []
    return [hex(number) for number in value.as_integer_ratio()]


def _encode_iterable(value: "Any", depth: int) -> "_JsonValue":
    """Return the items, which only tasks that compare sets look at, or the type's name where there are too many."""
    items = list(islice(iter(value), _MOST_ITEMS + 1))
    if len(items) > _MOST_ITEMS:
        return {"?": "endless"}
    return {"y": _encode_items(items, depth)}


_ENCODERS: "List[Any]" = [
    (int, _encode_integer),
    (str, _encode_text),
    (float, _encode_float),
    (list, lambda value, depth: _encode_items(list.__iter__(value), depth)),
    (tuple, lambda value, depth: {"t": _encode_items(tuple.__iter__(value), depth)}),
    (dict, _encode_dict),
    (set, lambda value, depth: {"s": _encode_set(set.__iter__(value), depth)}),
    (frozenset, lambda value, depth: {"z": _encode_set(frozenset.__iter__(value), depth)}),
    (complex, _encode_complex),
    (bytes, lambda value, depth: {"b": bytes.hex(value)}),
]


def _decode_items(body: "Any", depth: int) -> "List[Any]":
    if not isinstance(body, list):
        raise ValueError("malformed value: a collection needs a list")
    return body if _is_plain(body, depth) else [decode(item, depth) for item in body]


def _decode_dict(body: "Any", depth: int) -> "Dict[Any, Any]":
    return {decode(key, depth): decode(item, depth) for key, item in _list_of(body, list)}


def _decode_complex(body: "Any", depth: int) -> "complex":
    real, imaginary = _list_of(body, str)
    return complex(float(real), float(imaginary))


def _list_of(body: "Any", kind: "type") -> "List[Any]":
    if not isinstance(body, list) or not all(isinstance(item, kind) for item in body):
        raise ValueError("malformed value: a list of another kind is needed")
    return body


def _text(body: "Any") -> "str":
    if not isinstance(body, str):
        raise ValueError("malformed value: a text is needed")
    return body


_DECODERS: "Dict[str, Callable[[Any, int], Any]]" = {
    "i": lambda body, depth: int(_text(body), 16),
    "u": lambda body, depth: bytes.fromhex(_text(body)).decode("utf-8", "surrogatepass"),
    "f": lambda body, depth: float(_text(body)),
    "t": lambda body, depth: tuple(_decode_items(body, depth)),
    "s": lambda body, depth: set(_decode_items(body, depth)),
    "z": lambda body, depth: frozenset(_decode_items(body, depth)),
    "d": _decode_dict,
    "c": _decode_complex,
    "b": lambda body, depth: bytes.fromhex(_text(body)),
    "q": lambda body, depth: Opaque("ratio"),
    "y": lambda body, depth: Opaque("iterable"),
    "?": lambda body, depth: Opaque(_text(body)),
}
