"""Whether a call's result equals an expected value, found in step with reading it.

>>> same_value([1, 2.0], Result(b"[1.0, 2]"), PYTHON)
True

Which values equal which is a record. It ends at the first difference, and keeps of the result no more than the
expected value holds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from turnwise.benchmarks.results import Collection, Result, form_of, show_scalar

_TYPES: dict[Collection, type | None] = {
    Collection.LIST: list,
    Collection.TUPLE: tuple,
    Collection.SET: set,
    Collection.FROZENSET: frozenset,
    Collection.DICT: dict,
    Collection.ITERABLE: None,
}
_END = object()


def _equal(expected: object, result: object) -> bool:
    return bool(expected == result)


@dataclass(frozen=True, slots=True)
class Equality:
    """``scalars`` decides on single values; the others say what of collections equals what beyond Python's ==."""

    scalars: Callable[[object, object], bool] = _equal
    sequences_alike: bool = False
    sequences_only: bool = False
    text_keys: bool = False


PYTHON = Equality()


def same_value(expected: object, result: Result, how: Equality) -> bool:
    """Return whether the whole of ``result`` equals ``expected``; raises what Result raises."""
    result.restart()
    if not same_from(expected, result.value(), result, how):
        return False
    result.finish()
    return True


def type_of(value: object) -> type | None:
    """Return the Python type of what ``Result.value`` returned, None for what is not passed on as what it is."""
    return _TYPES[value] if isinstance(value, Collection) else type(value)


def same_from(expected: object, value: object, result: Result, how: Equality) -> bool:
    """Return whether ``value``, just read from ``result``, and what belongs to it equal ``expected``."""
    if not isinstance(value, Collection):
        return how.scalars(expected, value)
    if value in (Collection.LIST, Collection.TUPLE):
        if (how.sequences_alike and isinstance(expected, list | tuple)) or type(expected) is _TYPES[value]:
            return _same_sequence(expected, value, result, how)
        return False
    if how.sequences_only:
        return False
    if value is Collection.DICT:
        return isinstance(expected, dict) and _same_dict(expected, result, how)
    if value is Collection.ITERABLE:
        return False
    return isinstance(expected, set | frozenset) and _same_members({form_of(item) for item in expected}, value, result)


def same_set(expected: set[bytes], result: Result) -> bool:
    """Return whether the items of ``result``, of whatever kind, have the forms ``expected``; order and number are free.

    Raises TypeError for a result that has no items, or some that cannot be in a set.
    """
    result.restart()
    value = result.value()
    if value is Collection.DICT:
        return _same_keys(expected, result)
    if isinstance(value, Collection):
        return _same_members(expected, value, result)
    return {form_of(item) for item in value} == expected


def _same_sequence(expected: Any, kind: Collection, result: Result, how: Equality) -> bool:
    wanted = iter(expected)
    for _ in result.items(kind):
        want = next(wanted, _END)
        if want is _END or not same_from(want, result.value(), result, how):
            return False
    return next(wanted, _END) is _END


def _same_members(expected: set[bytes], kind: Collection, result: Result) -> bool:
    seen = set()
    for _ in result.items(kind):
        form = result.form(result.value())
        if form not in expected:
            return False
        seen.add(form)
    return len(seen) == len(expected)


def _same_keys(expected: set[bytes], result: Result) -> bool:
    seen = set()
    for _ in result.pairs():
        form = result.form(result.value())
        if form not in expected:
            return False
        seen.add(form)
        result.expect(",")
        result.skip()
    return len(seen) == len(expected)


def _same_dict(expected: dict[object, object], result: Result, how: Equality) -> bool:
    items = {form_of(key): item for key, item in expected.items()}
    longest = max((len(key) for key in expected if isinstance(key, str)), default=0)
    for _ in result.pairs():
        key = result.value()
        form = result.form(key)
        if how.text_keys and form not in items and _is_short_key(key, longest):
            form = form_of(str(key) if isinstance(key, float) else show_scalar(key))
        result.expect(",")
        if form not in items or not same_from(items.pop(form), result.value(), result, how):
            return False
    return not items


def _is_short_key(key: object, longest: int) -> bool:
    """Whether the key may be ``longest`` characters of text, as JSON turned every key of an expected dict into text."""
    return isinstance(key, float) or (isinstance(key, int) and key.bit_length() <= 4 * longest)
