"""Python values as tagged JSON: how arguments enter a function-call task and how results leave it.

>>> dumps((1, {2.5}))
'{"t": [1, {"s": [2.5]}]}'
>>> loads(dumps((1, {2.5})))
(1, {2.5})

JSON's own types stand for None, bool, str, list, small int and finite float (a number with a point or
an exponent, which JSON keeps exactly); everything else is an object with one key, its tag: i int
(hexadecimal), u str with lone surrogates, f float (inf, nan), t tuple, s set, z frozenset, d dict
(pairs), c complex, b bytes, q the exact ratio of a Decimal or Fraction, y the items of anything else that has some
(a generator, a dict view), ? opaque (only the type's name: it can be told from None, no more), h digest, size and kind
of a value that is too long to be kept (``dumps_or_digest``).
Instances of subclasses leave as their built-in base, so no class of a program reaches the judge.

The judged program's process loads this file by its path, in any supported interpreter: it imports
nothing of turnwise and keeps to the syntax of Python 3.8. It is no pickle: decoding never calls anything but the
constructors of the types above. But it builds sets and dicts, whose cost a hostile writer chooses: results of
programs are read by results.py.
"""

import json
import math
import os
from itertools import chain, islice
from operator import itemgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List, Optional, Set

    _JsonValue = Any
    _Add = Callable[[str], None]

FORMAT = 2  # part of every fingerprint over encoded values
DIGEST_BYTES = 64 * 2**20
MAXIMUM_DEPTH = 100  # far from the interpreter's own limit: a level costs several frames
_SMALL_INTEGER = 2**53
_RATIOS = frozenset([("decimal", "Decimal"), ("fractions", "Fraction")])
_MOST_DIGITS = 1000
_MOST_ITEMS = 1_000_000
_PLAIN_TYPES = frozenset([type(None), bool, int, float, str])
_LISTS = frozenset([list])
_TEXTS = frozenset([type(None), str])
_SEQUENCES = frozenset([list, tuple])
_ITEMS_AT_ONCE = 1000
_INNER_ITEMS_AT_ONCE = 1_000_000
_CHARACTERS_AT_ONCE = 1 << 16
_TEXT_AT_ONCE = 1 << 15  # characters, six times as many in JSON
_MOST_LEVELS_AT_ONCE = 4  # matrices; a deeper list is taken item by item, and its depth is counted


class Opaque:
    """A result of which only the type's name crossed the process boundary; equal to itself alone."""

    def __init__(self, type_name: "str") -> None:
        self.type_name = type_name

    def __repr__(self) -> "str":
        return "<%s>" % self.type_name


def dumps(value: "object") -> str:
    """Return ``value`` as one line of tagged JSON; raises ValueError beyond MAXIMUM_DEPTH levels."""
    return json.dumps(encode(value), ensure_ascii=True)


def loads(text: str) -> "Any":
    """Return the value of one line of tagged JSON; raises ValueError for anything malformed."""
    try:
        return decode(json.loads(text))
    except (RecursionError, TypeError, LookupError, OverflowError) as error:
        raise ValueError("malformed value: " + type(error).__name__) from None


def dumps_or_digest(value: "object", most: int = DIGEST_BYTES) -> str:
    """Return ``value`` as ``dumps`` does, or the digest of its canonical form if that has more than ``most`` bytes.

    Two values have the same canonical form if and only if they are equal, as Python has it: it is tagged JSON in which
    equal numbers are written alike, frozensets as sets, and members and keys in order; what equals nothing (NaN, opaque
    values) is a random number. It is never held whole. The digest's kind is "floats" for a list or tuple of them alone,
    else empty.
    """
    form = _HashedForm()
    _write_canonical(value, form.add, 0)
    form.flush()
    if form.size <= most:
        return dumps(value)
    kind = "floats" if _are_floats(value) else ""
    return json.dumps({"h": [form.sha256.hexdigest(), str(form.size), kind]})


def encode(value: "object", depth: int = 0) -> "_JsonValue":
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


def decode(data: "_JsonValue", depth: int = 0) -> "object":
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


def _of_kind(kind: "type", items: "List[object]", kinds: "Set[type]") -> "List[Any]":
    return items if len(kinds) == 1 else [item for item in items if type(item) is kind]


def _encode_set(items: "object", depth: int) -> "List[_JsonValue]":
    return sorted(_encode_items(items, depth), key=lambda item: json.dumps(item, sort_keys=True))


def _encode_dict(value: "Dict[object, object]", depth: int) -> "_JsonValue":
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


def describe_size(size: str) -> str:
    """Return what stands for a value of which there is the digest; raises ValueError for what is no size."""
    if len(size) > 20 or not (size.isascii() and size.isdigit()):
        raise ValueError("malformed value: no size")
    return "%s bytes" % size


class _HashedForm:
    """The digest and the size of pieces of text, in order."""

    def __init__(self) -> None:
        from hashlib import sha256

        self.sha256 = sha256()
        self.size = 0
        self._pieces: List[str] = []
        self._waiting = 0

    def add(self, piece: str) -> None:
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting > _CHARACTERS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        data = "".join(self._pieces).encode("ascii")
        self._pieces.clear()
        self._waiting = 0
        self.sha256.update(data)
        self.size += len(data)


def _write_canonical(value: "Any", add: "_Add", depth: int) -> None:
    if depth > MAXIMUM_DEPTH:
        raise ValueError("value nested deeper than %d levels" % MAXIMUM_DEPTH)
    kind = type(value)
    if issubclass(kind, list):
        add("[")
        _write_items(list.__iter__(value), add, depth + 1)
        add("]")
    elif issubclass(kind, tuple):
        add('{"t":[')
        _write_items(tuple.__iter__(value), add, depth + 1)
        add("]}")
    elif issubclass(kind, (set, frozenset)):
        members = set.__iter__(value) if issubclass(kind, set) else frozenset.__iter__(value)
        add('{"s":[')
        _add_joined(sorted(_canonical(member, depth + 1) for member in members), add)
        add("]}")
    elif issubclass(kind, dict):
        add('{"d":[')
        _write_pairs(value, add, depth + 1)
        add("]}")
    elif issubclass(kind, str):
        _write_text(str.__str__(value), add)
    else:
        add(_compact(_canonical_scalar(value)))


def _write_text(text: str, add: "_Add") -> None:
    form = _encode_text(text, 0)
    if isinstance(form, dict):
        add(_compact(form))
        return
    add('"')
    for start in range(0, len(text), _TEXT_AT_ONCE):
        add(_compact(text[start : start + _TEXT_AT_ONCE])[1:-1])
    add('"')


def _write_items(items: "Iterator[object]", add: "_Add", depth: int) -> None:
    separator, count = "", 1
    batch = list(islice(items, count))
    while batch:
        text = _flat_text(batch)
        if text is not None:
            add(separator + text)
            count = min(2 * count, _ITEMS_AT_ONCE) if len(text) < _CHARACTERS_AT_ONCE else max(1, count // 2)
        else:
            for item in batch:
                add(separator)
                separator = ","
                _write_canonical(item, add, depth)
        separator = ","
        batch = list(islice(items, count))


def _write_pairs(value: "Dict[object, object]", add: "_Add", depth: int) -> None:
    separator = ""
    pairs = [(_canonical(key, depth), item) for key, item in dict.items(value)]
    for key, item in sorted(pairs, key=itemgetter(0)):
        add("%s[%s," % (separator, key))
        _write_canonical(item, add, depth)
        add("]")
        separator = ","


def _add_joined(texts: "List[str]", add: "_Add") -> None:
    for start in range(0, len(texts), _ITEMS_AT_ONCE):
        add(("," if start else "") + ",".join(texts[start : start + _ITEMS_AT_ONCE]))


def _canonical(value: "object", depth: int) -> str:
    pieces: List[str] = []
    _write_canonical(value, pieces.append, depth)
    return "".join(pieces)


def _flat_text(items: "List[Any]") -> "Optional[str]":
    """Return what ``_write_canonical`` writes of each of ``items``, joined, if they are usual: at a tenth of the time.

    Usual are numbers, texts and None, or lists and tuples of these, not too many at once.
    """
    kinds = set(map(type, items))
    if kinds <= _PLAIN_TYPES:
        if str in kinds and max(map(len, _of_kind(str, items, kinds))) > _TEXT_AT_ONCE:
            return None
        forms = _canonical_scalars(items, kinds)
    elif kinds <= _SEQUENCES and sum(map(len, items)) <= _INNER_ITEMS_AT_ONCE:
        kinds = set(map(type, chain.from_iterable(items)))
        if not kinds <= _PLAIN_TYPES:
            return None
        rows = items if kinds <= _TEXTS else [_canonical_scalars(row, kinds) for row in items]
        forms = [{"t": row} if type(item) is tuple else row for item, row in zip(items, rows)]
    else:
        return None
    text = _compact(forms)[1:-1]
    return None if "\\ud" in text else text  # perhaps half of a surrogate pair


def _canonical_scalars(items: "List[object]", kinds: "Set[type]") -> "List[_JsonValue]":
    """Return the forms of ``items``, plain ones of these ``kinds``: the same list where they stand for themselves."""
    if bool in kinds or float in kinds:
        return [_canonical_scalar(item) for item in items]
    if int in kinds:
        integers = _of_kind(int, items, kinds)
        if integers and (min(integers) <= -_SMALL_INTEGER or max(integers) >= _SMALL_INTEGER):
            return [_canonical_scalar(item) for item in items]
    return items


def _canonical_scalar(value: "Any") -> "_JsonValue":
    kind = type(value)
    if value is None:
        return None
    if issubclass(kind, str):
        return _encode_text(value, 0)
    if issubclass(kind, int):
        return _canonical_integer(int.__int__(value))
    if issubclass(kind, float):
        return _canonical_float(float.__float__(value))
    if issubclass(kind, complex):
        real, imaginary = _encode_complex(value, 0)["c"]
        if float(imaginary) == 0:
            return _canonical_float(float(real))
        return _unequal() if "nan" in (real, imaginary) else {"c": [repr(float(real) + 0.0), imaginary]}
    if issubclass(kind, bytes):
        return {"b": bytes.hex(value)}
    form = _encode_foreign(value, 1)
    if not isinstance(form, dict):
        return _canonical_scalar(form)
    return _canonical_ratio(*form["q"]) if "q" in form else _unequal()


def _canonical_integer(number: int) -> "_JsonValue":
    """Beyond what every float holds exactly, integers that are one are written as it is."""
    if abs(number) < _SMALL_INTEGER:
        return number
    try:
        nearest = float(number)
    except OverflowError:
        return {"i": hex(number)}
    return nearest if nearest == number else {"i": hex(number)}


def _canonical_float(number: float) -> "_JsonValue":
    if number != number:
        return _unequal()
    if not math.isfinite(number):
        return {"f": repr(number)}
    return int(number) if abs(number) < _SMALL_INTEGER and number.is_integer() else number


def _canonical_ratio(above: str, below: str) -> "_JsonValue":
    numerator, denominator = int(above, 16), int(below, 16)
    if denominator == 1:
        return _canonical_integer(numerator)
    try:
        nearest = numerator / denominator
    except OverflowError:
        return {"q": [above, below]}
    is_exact = nearest.as_integer_ratio() == (numerator, denominator)
    return _canonical_float(nearest) if is_exact else {"q": [above, below]}


def _unequal() -> "_JsonValue":
    return {"?": os.urandom(16).hex()}


def _are_floats(value: "Any") -> bool:
    kind = type(value)
    if not issubclass(kind, (list, tuple)):
        return False
    kinds = set(map(type, list.__iter__(value) if issubclass(kind, list) else tuple.__iter__(value)))
    return bool(kinds) and all(issubclass(one, float) for one in kinds)


_compact = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def _decode_items(body: "object", depth: int) -> "List[object]":
    if not isinstance(body, list):
        raise ValueError("malformed value: a collection needs a list")
    return body if _is_plain(body, depth) else [decode(item, depth) for item in body]


def _decode_dict(body: "object", depth: int) -> "Dict[object, object]":
    return {decode(key, depth): decode(item, depth) for key, item in _list_of(body, list)}


def _decode_complex(body: "object", depth: int) -> "complex":
    real, imaginary = _list_of(body, str)
    return complex(float(real), float(imaginary))


def _list_of(body: "object", kind: "type") -> "List[Any]":
    if not isinstance(body, list) or not all(isinstance(item, kind) for item in body):
        raise ValueError("malformed value: a list of another kind is needed")
    return body


def _text(body: "object") -> "str":
    if not isinstance(body, str):
        raise ValueError("malformed value: a text is needed")
    return body


_DECODERS: "Dict[str, Callable[[object, int], object]]" = {
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
    "h": lambda body, depth: Opaque(describe_size(*_list_of(body, str)[1:2])),
    "y": lambda body, depth: Opaque("iterable"),
    "?": lambda body, depth: Opaque(_text(body)),
}
