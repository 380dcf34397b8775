"""What a program returned is shown as Python writes it, and whatever arrives is read in bounded time and memory."""

import contextlib
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.benchmarks import values
from turnwise.benchmarks.matching import output_matches
from turnwise.benchmarks.oracles import ORACLE_BY_ENTRY_POINT
from turnwise.benchmarks.results import BeyondLimitError, MalformedResultError, Result, show_result
from turnwise.records.problem import Comparison, MatchRule, TestCase

_SHOWN: tuple[Any, ...] = (
    *(None, True, 5, -(2**70), 0.5, 1e100, float("inf"), 1 + 2j, "it's", "é\ud800\0", b"\xff", [], (), (1,), ((1, 2),)),
    *({}, {1: [2.0], "a": (None,)}, set(), {3}, frozenset(), frozenset([(1, 2)]), {-10, 2, 1}, [[1], [2, [3]]]),
)


@pytest.mark.parametrize("value", _SHOWN, ids=ascii)
def test_a_result_is_shown_as_python_writes_it(value: Any) -> None:
    shown = show_result(values.dumps(value).encode(), 4096)
    assert shown == (repr(value) if value != {-10, 2, 1} else "{-10, 1, 2}")


@pytest.mark.parametrize(
    "value", ["é" * 9000, list(range(50_000)), {"a": "x" * 5000}, [["\\" * 9000]], (("ab",) * 3000,)]
)
def test_of_a_long_result_the_beginning_is_shown(value: Any) -> None:
    for limit in (1, 100, 101, 4096):
        assert show_result(values.dumps(value).encode(), limit) == repr(value)[:limit]


def test_an_integer_without_end_is_shown_in_hexadecimal() -> None:
    assert show_result(values.dumps([1 << 1_000_000]).encode(), 20) == "["  # it goes on beyond what is read
    assert show_result(values.dumps([1 << 20_000]).encode(), 400) == "[0x1" + "0" * 396


_MALFORMED = (
    *(
        "",
        "nul",
        "{}",
        "[1",
        '"',
        "[1] 2",
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1e999",
        "9" * 5000,
        "[1,]",
        "[,1]",
        "\xff",
    ),
    *('{"x": 1}', '{"t": [], "s": []}', '{"t": "ab"}', '{"t": null}', '{"t": {}}', '{"s": 1}', '{"z": "a"}'),
    *('{"d": [[1, 2, 3]]}', '{"d": [[1]]}', '{"d": [1]}', '{"d": 1}', '{"i": 5}', '{"i": "0xg"}', '{"i": []}'),
    *('{"f": "abc"}', '{"f": NaN}', '{"f": []}', '{"?": 5}', '{"q": ["0x1", "0x0"]}', '{"q": ["a"]}', '{"q": "ab"}'),
    *('{"c": []}', '{"c": ["1"]}', '{"c": ["1", "2", "3"]}', '{"c": "12"}', '{"c": ["x", "1"]}', '{"b": "zz"}'),
    *("[" * 202 + "]" * 202, "[" * 10**5, '{"t": [' * 10**5 + "]}" * 10**5),
)


@pytest.mark.parametrize("text", _MALFORMED, ids=lambda text: ascii(text[:30]))
def test_a_malformed_line_is_an_error_of_its_own_and_shown_as_nothing(text: str) -> None:
    with pytest.raises(MalformedResultError):
        _read(Result(text.encode("latin-1")))
    if text != "[1] 2":
        assert show_result(text.encode("latin-1"), 10**6) == ""


def _read(result: Result) -> None:
    result.skip()
    result.finish()


@pytest.mark.parametrize("value", _SHOWN, ids=ascii)
def test_a_result_that_is_cut_anywhere_is_beyond_its_limit(value: Any) -> None:
    line = values.dumps(value).encode()
    for limit in range(len(line)):
        with pytest.raises(BeyondLimitError):
            _read(Result(line, limit=limit))
    _read(Result(line, limit=len(line)))


_TAGS = "iufstzdcbqy?"
_NUMBERS = st.integers() | st.floats() | st.sampled_from(["0x1", "1e999", "-0", "9" * 500, "nan"])
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | st.text("0123xnaif", max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_TAGS), inner, max_size=2),
)
_LINES = _JSON.map(json.dumps).map(str.encode)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, float("nan"), 1j, b"a", "a", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.sets(st.integers(0, 3)),
)
_ORACLES = ["", *sorted({name for table in ORACLE_BY_ENTRY_POINT.values() for name in table.values()})]


def _spoiled(line: bytes, parts: tuple[int, bytes, int]) -> bytes:
    """Return the line with a few bytes replaced and something repeated: near to what is legal, and long."""
    place, new, times = parts
    place %= len(line) + 1
    return line[:place] + new * times + line[place + 1 :]


_BYTES = st.sampled_from([b"", b"[", b'{"s": [', b"1,", b'"', b"\\", b"]", b"\xff"])
_SPOILED = st.tuples(
    _LINES | _VALUES.map(values.dumps).map(str.encode),
    st.tuples(st.integers(0, 10**6), _BYTES, st.sampled_from([1, 3, 9000])),
).map(lambda pair: _spoiled(*pair))


def _compare_anything(expected: Any, line: bytes, oracle: str, comparison: Comparison) -> None:
    rule = MatchRule(comparison, tolerance=1e-6, oracle=oracle if comparison is Comparison.EVALPLUS else "")
    test = TestCase(values.dumps([[1, 2]]), values.dumps(expected))
    tracemalloc.start()
    try:
        with contextlib.suppress(ValueError):
            assert output_matches(rule, test, line) in (True, False)
        assert isinstance(show_result(line, 4096), str)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


_CASES = (
    _VALUES,
    _LINES | _SPOILED,
    st.sampled_from(_ORACLES),
    st.sampled_from([Comparison.VALUE, Comparison.EVALPLUS]),
)


@given(*_CASES)
@settings(deadline=None, max_examples=150)
def test_whatever_returns_is_right_or_wrong_or_malformed(
    expected: Any, line: bytes, oracle: str, comparison: Comparison
) -> None:
    """No other error, and memory in proportion to the expected value."""
    _compare_anything(expected, line, oracle, comparison)


@pytest.mark.long
@given(*_CASES)
@settings(deadline=None, max_examples=20_000)
def test_whatever_returns_is_right_or_wrong_or_malformed_at_length(
    expected: Any, line: bytes, oracle: str, comparison: Comparison
) -> None:
    _compare_anything(expected, line, oracle, comparison)


@given(_VALUES, _VALUES)
@settings(deadline=None, max_examples=200)
def test_results_equal_as_the_values_do(expected: Any, result: Any) -> None:
    """Reading in step gives what building both and comparing them gives."""
    rule = MatchRule(Comparison.EVALPLUS, tolerance=0)
    test = TestCase("[]", values.dumps(expected))
    line = values.dumps(result).encode()
    equal = values.loads(values.dumps(expected)) == values.loads(line.decode())
    if equal or not _has_floats(expected):
        assert output_matches(rule, test, line) is equal


def _has_floats(value: Any) -> bool:
    """Whether evalplus's tolerance applies."""
    return isinstance(value, float) or (isinstance(value, list | tuple) and any(map(_has_floats, value)))
