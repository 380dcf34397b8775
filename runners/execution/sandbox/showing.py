"""Values as a trace shows them: Python's own text of built-in values, cut in the middle.

No code of the program is run for it. A text of more than 100 characters keeps its first and last 50, as LDB has it.
Only types that are built in are looked into, by their exact type; an object of the program's classes is shown by
its class and its plain attributes. The text of this module is run beside the tracer's: Python 3.8, no import of ours.
"""

import array
import collections
import decimal
import fractions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List

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
_BRACKETS: "Dict[Any, Any]" = {
    list: "[]",
    tuple: "()",
    set: "{}",
    frozenset: ("frozenset({", "})"),
    collections.deque: ("deque([", "])"),
}
_MAPPINGS: "Dict[Any, Any]" = {
    dict: "{}",
    collections.OrderedDict: ("OrderedDict({", "})"),
    collections.defaultdict: ("defaultdict({", "})"),
    collections.Counter: ("Counter({", "})"),
}


def show(value: "Any") -> str:
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
    kind: Any = type(value)
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


def write_items(value: "Any", brackets: "Any", depth: int) -> str:
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


def write_object(value: "Any", depth: int) -> str:
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
