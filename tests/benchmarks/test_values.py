"""Values survive the way to and from a judged program as what they are; hostile lines end as ValueError."""

import contextlib
import enum
import json
import re
import subprocess
import sys
from collections import Counter, OrderedDict, namedtuple
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.benchmarks import values
from turnwise.benchmarks.values import MAXIMUM_DEPTH, Opaque, dumps, loads


def exact(value: Any) -> Any:
    """Return what tells two values apart where == does not: types, -0.0, nan, 1 and True and 1.0."""
    if isinstance(value, list | tuple):
        return type(value), tuple(map(exact, value))
    if isinstance(value, set | frozenset):
        return type(value), frozenset(Counter(map(exact, value)).items())
    if isinstance(value, dict):
        return type(value), tuple((exact(key), exact(item)) for key, item in value.items())
    return type(value), hex(value) if isinstance(value, int) else repr(value)


_texts = st.text(st.characters()).filter(lambda text: not re.search("[\ud800-\udbff][\udc00-\udfff]", text))
_numbers = st.integers(-(2**200), 2**200) | st.floats() | st.complex_numbers()
_hashable = st.recursive(
    st.none() | st.booleans() | _numbers | st.binary() | _texts,
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner),
    max_leaves=6,
)
_nested = st.recursive(
    _hashable | st.sets(_hashable),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(_hashable, inner),
    max_leaves=12,
)


@given(_nested)
@settings(deadline=None)
def test_a_value_comes_back_as_itself(value: Any) -> None:
    assert exact(loads(dumps(value))) == exact(value)


@pytest.mark.parametrize("exponent", [52, 53, 63, 64, 20_000])
def test_integers_around_every_size_come_back(exponent: int) -> None:
    numbers = [sign * 2**exponent + step for sign in (-1, 1) for step in (-1, 0, 1)]
    assert loads(dumps(numbers)) == numbers


def test_two_surrogates_side_by_side_stay_two() -> None:
    assert loads(dumps("\ud83d\ude00")) == "\ud83d\ude00"


class _Color(enum.IntEnum):
    RED = 3


class _Integer(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__

    def __int__(self) -> int:
        return 99

    __index__ = __abs__ = __int__


class _Text(str):
    def __str__(self) -> str:
        return "lie"


class _List(list[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter(["lie"])


class _Dict(dict[Any, Any]):
    def items(self) -> Any:
        return [("lie", 99)]


class _Impostor:
    __class__ = property(lambda self: int)  # what isinstance asks; Mock does so too


_Point = namedtuple("_Point", "x y")
_LEAVING: list[tuple[Any, Any]] = [
    *[(Counter("aab"), {"a": 2, "b": 1}), (OrderedDict(b=1, a=2), {"b": 1, "a": 2}), (_Point(1, 2.0), (1, 2.0))],
    *[(_Color.RED, 3), (_Integer(5), 5), (_Text("so"), "so"), (_List([1]), [1]), (_Dict(a=1), {"a": 1})],
    *[(np.int64(5), 5), (np.float32(0.5), 0.5), (np.float64("nan"), float("nan")), (np.bool_(True), True)],
    *[(np.str_("a"), "a"), (np.complex64(1j), 1j), (np.array(3), 3)],
]


@pytest.mark.parametrize(("value", "base"), _LEAVING, ids=lambda value: type(value).__name__)
def test_an_instance_of_a_subclass_leaves_as_its_base_type(value: Any, base: Any) -> None:
    assert exact(loads(dumps([value]))) == exact([base])


_FOREIGN: tuple[Any, ...] = (
    object(),
    len,
    iter([]),
    bytearray(b"a"),
    range(3),
    np.array([1]),
    np.longdouble(1),
    _Impostor(),
)


@pytest.mark.parametrize("value", _FOREIGN, ids=lambda value: type(value).__name__)
def test_any_other_object_leaves_as_the_name_of_its_type(value: Any) -> None:
    kind = type(value)
    opaque, number = loads(dumps((value, 1)))
    assert isinstance(opaque, Opaque)
    assert (opaque.type_name, number) == (f"{kind.__module__}.{kind.__qualname__}", 1)


_WRAPS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "list": (lambda value: [value], []),
    "list of None": (lambda value: [value], [None]),
    "tuple": (lambda value: (value,), ()),
    "dict": (lambda value: {1: value}, {}),
    "dict of None": (lambda value: {None: value}, {None: None}),
    "frozenset": (lambda value: frozenset([value]), frozenset()),
}


@pytest.mark.parametrize("kind", _WRAPS)
def test_nesting_comes_back_up_to_the_limit_and_is_a_value_error_beyond(kind: str) -> None:
    wrap, value = _WRAPS[kind]
    accepted = []
    for levels in range(MAXIMUM_DEPTH + 4):
        value = wrap(value)
        if levels > MAXIMUM_DEPTH - 4:
            try:
                text = dumps(value)
            except ValueError:
                accepted.append(False)
            else:
                assert loads(text) == value
                accepted.append(True)
    assert accepted[0] and not accepted[-1]


def test_a_list_that_holds_itself_is_a_value_error() -> None:
    cyclic: list[Any] = []
    cyclic += [cyclic, cyclic]
    with pytest.raises(ValueError, match="nested deeper"):
        dumps(cyclic)


_MALFORMED = (
    *("", "nul", "{}", "[1", '"', "[1] 2", "NaN", "[Infinity]", "-Infinity", "1e999", "9" * 5000),
    *('{"x": 1}', '{"t": [], "s": []}', '{"t": "ab"}', '{"t": null}', '{"t": {}}', '{"s": 1}', '{"z": "a"}'),
    *('{"s": [[1]]}', '{"z": [{"d": []}]}', '{"d": [[[], 1]]}', '{"d": [[1, 2, 3]]}', '{"d": [1]}', '{"d": 1}'),
    *('{"d": {"ab": 1}}', '{"d": ["ab"]}', '{"d": ""}', '{"i": 5}', '{"i": "0xg"}', '{"i": []}', '{"i": true}'),
    *('{"f": "abc"}', '{"f": NaN}', '{"f": []}', '{"f": true}', '{"f": ' + "9" * 400 + "}", '{"?": 5}'),
    *('{"c": []}', '{"c": ["1"]}', '{"c": ["1", "2", "3"]}', '{"c": "12"}', '{"c": {"0": 1}}', '{"c": ["x", "1"]}'),
    *('{"b": "zz"}', '{"b": "a"}', '{"b": 5}', '{"b": null}', "[" * 202 + "]" * 202),
    *("[" * 10**5 + "]" * 10**5, '{"t": [' * 10**5 + "]}" * 10**5),
)


@pytest.mark.parametrize("text", _MALFORMED, ids=lambda text: text[:30])
def test_a_malformed_line_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # any message will do
        loads(text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("0123xnaif", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("iftszdcb?"), inner, max_size=2),
)


@given(_json)
@settings(deadline=None)
def test_any_json_is_a_value_or_a_value_error(data: Any) -> None:
    with contextlib.suppress(ValueError):
        loads(json.dumps(data))


def test_the_module_loads_by_its_path_where_turnwise_is_not() -> None:
    code = (
        "import importlib.util, runpy, sys\n"
        "assert importlib.util.find_spec('turnwise') is None\n"
        "print(runpy.run_path(sys.argv[1])['dumps']((1, {2.5})))"
    )
    command = [sys.executable, "-I", "-S", "-c", code, values.__file__]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=60, cwd="/").stdout
    assert output == '{"t": [1, {"s": [2.5]}]}\n'
