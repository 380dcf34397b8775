"""A result that is too long to be kept is told from any other by its digest alone, and equal ones are alike."""

import random
import tracemalloc
from collections import Counter, OrderedDict, namedtuple
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.benchmarks.digests import Digest, allows_digests, read_digest
from turnwise.benchmarks.matching import output_matches
from turnwise.benchmarks.oracles import ORACLE_BY_ENTRY_POINT
from turnwise.benchmarks.results import show_result
from turnwise.benchmarks.values import MAXIMUM_DEPTH, dumps, dumps_or_digest, loads
from turnwise.records.problem import Comparison, MatchRule, TestCase

EXACT = MatchRule(Comparison.EVALPLUS, tolerance=0)


def _digest(value: Any) -> Digest:
    digest = read_digest(dumps_or_digest(value, most=-1))
    assert digest is not None
    return digest


_numbers = (
    st.integers(-3, 3)
    | st.booleans()
    | st.sampled_from([0.0, -0.0, 1.0, 2.5, float("inf"), -float("inf"), 1 + 0j, 2j, 2.5 + 0j, 1e300, int(1e300)])
    | st.sampled_from([2**53 - 1, 2**53, float(2**53), 2**53 + 1, 2**53 + 2, float(2**53 + 2), -(2**60), 10**400])
    | st.sampled_from([Decimal("2.5"), Decimal(1), Fraction(5, 2), Fraction(1, 3), Decimal(1) / 3])
)
_scalars = (
    st.none() | _numbers | st.sampled_from(["", "a", "1", "é", "\U0001f600", "\ud83d\ude00", "\ud83d", b"", b"a"])
)
_members = st.recursive(_scalars, lambda inner: st.tuples(inner) | st.frozensets(inner, max_size=3), max_leaves=4)
_any = st.recursive(
    _members | st.sets(_members, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(_members, inner, max_size=3)
    ),
    max_leaves=8,
)


def _respelt(value: Any, chance: random.Random) -> Any:
    """Return a value that is equal, but written in another way where there is one."""
    if isinstance(value, list | tuple):
        return type(value)(_respelt(item, chance) for item in value)
    if isinstance(value, set | frozenset):
        kind = chance.choice([set, frozenset]) if isinstance(value, set) else frozenset
        return kind(_respelt(item, chance) for item in chance.sample(list(value), len(value)))
    if isinstance(value, dict):
        items = chance.sample(list(value.items()), len(value))
        return {_respelt(key, chance): _respelt(item, chance) for key, item in items}
    if isinstance(value, str | bytes) or value is None:
        return value
    ways: list[Any] = [value]
    for kind in (bool, int, float, complex, Fraction):
        try:
            other = kind(value)
        except (TypeError, ValueError, OverflowError):
            continue
        ways += [other] if other == value else []
    return chance.choice(ways)


@given(_any, _any, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=100)
def test_two_digests_are_alike_if_and_only_if_the_values_are_equal(first: Any, second: Any, chance: Any) -> None:
    respelt = _respelt(first, chance)
    assert respelt == first
    assert _digest(respelt).equals(_digest(first))
    assert _digest(second).equals(_digest(first)) is (second == first)


@pytest.mark.long
@given(_any, _any, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=20_000)
def test_two_digests_are_alike_if_and_only_if_the_values_are_equal_at_length(
    first: Any, second: Any, chance: Any
) -> None:
    assert _digest(_respelt(first, chance)).equals(_digest(first))
    assert _digest(second).equals(_digest(first)) is (second == first)


_ROWS: tuple[Any, ...] = (
    *[[("a", "b")] * 2500, [["a"]] * 1001, [(1, 2.5, True, None)] * 1001, list(range(3000)), ["é", "\ud83d"] * 900],
    *[[[(1,)] * 1200] * 3, [(2**60, -(2**53))] * 1001, [["x"] * 1500, ("x",) * 1500] * 2, [{1: ["a"]}] * 1100],
    *[set(range(2500)), dict.fromkeys(map(str, range(1500)), ("a",)), [[]] * 1001, [(), []] * 600],
)


@pytest.mark.parametrize("value", _ROWS, ids=range(len(_ROWS)))
def test_long_values_are_digested_alike_however_they_are_taken(value: Any) -> None:
    """Usual items are taken many at a time; one unusual item among them changes how, and nothing else."""
    unusual = namedtuple("unusual", "x")("\U0001f600")
    plain, mixed = [value, unusual], [_lying(value), _Tuple(unusual)]
    assert _digest(mixed).equals(_digest(plain)) and not _digest([value]).equals(_digest(plain))
    if isinstance(value, list):
        changed = [*value[:-1], "other"]
        assert not _digest(changed).equals(_digest(value)) and not _digest(tuple(value)).equals(_digest(value))
        assert not _digest(value[:-1]).equals(_digest(value))
        assert _digest([*map(_lying, value)]).equals(_digest(value))


class _List(list[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter(["lie"])

    def __len__(self) -> int:
        return 0


class _Tuple(tuple[Any, ...]):
    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return iter(["lie"])


def _lying(value: Any) -> Any:
    """Return an instance of a subclass that holds the same and lies about it, where there can be one."""
    if type(value) is list:
        return _List(value)
    return _Tuple(value) if type(value) is tuple else value


def test_a_subclass_is_digested_as_its_base() -> None:
    point = namedtuple("point", "x y")
    pairs: list[tuple[Any, Any]] = [(Counter("aab"), {"b": 1, "a": 2}), (OrderedDict(b=1, a=2), {"a": 2, "b": 1})]
    pairs += [(point(1, 2.0), (1, 2)), (np.int64(5), 5), (np.float64(0.5), Fraction(1, 2)), (np.str_("a"), "a")]
    for value, base in pairs:
        assert _digest([value]).equals(_digest([base]))


@pytest.mark.parametrize(
    "value",
    [float("nan"), complex(0, float("nan")), Decimal("nan"), object(), len, range(3), np.array([1])],
    ids=lambda value: type(value).__name__,
)
def test_what_equals_nothing_is_digested_as_nothing_else(value: Any) -> None:
    """Not even as itself, as in every other comparison."""
    assert not _digest([value]).equals(_digest([value]))


def test_a_short_value_is_written_as_ever_and_a_long_one_as_a_line_of_its_own() -> None:
    """What decides is the canonical form, which is the same for equal values: so the line is of the same kind."""
    assert dumps_or_digest((1, {2.5})) == dumps((1, {2.5}))
    for value in ([1] * 9, [1.0] * 9, [True] * 9):
        assert dumps_or_digest(value, most=19) == dumps(value)
        assert (_digest(value).size, _digest(value).is_floats) == (19, type(value[0]) is float)
        line = dumps_or_digest(value, most=18)
        assert read_digest(line) == read_digest(line.encode()) == _digest(value)
        assert repr(loads(line)) == show_result(line.encode(), 99) == "<19 bytes>"


def test_a_value_without_end_is_refused_and_a_deep_one_is_not() -> None:
    deep: list[Any] = []
    for _ in range(MAXIMUM_DEPTH):
        deep = [deep]
    assert _digest(deep).size == 2 * (MAXIMUM_DEPTH + 1)
    deep.append(deep)
    with pytest.raises(ValueError, match="nested deeper than 100"):
        dumps_or_digest(deep)


def test_the_text_of_a_long_value_is_never_held() -> None:
    """Only pieces of it, whether it is long by many items or by one."""
    value = [[("Dog", "Cat", "Bird") * 20] * 6000, "\u00e9" * 500_000]
    tracemalloc.start()
    size = _digest(value).size
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size / 2 > 2_000_000


_LINE = dumps_or_digest(["a"], most=0)
_FORGED = ['{"h": ["%s", "1", ""]}' % ("0" * 64), '{"h": ["", "", ""]}', '{"h": []}', '{"h": "a"}', "1", '["a"]', ""]
_FORGED += [_LINE + " ", _LINE.replace('""', '"x"'), _LINE.replace('""', '"' + "x" * 10**6 + '"'), "[" * 10**6]


@pytest.mark.parametrize("line", _FORGED, ids=lambda line: ascii(line[:20]))
def test_nothing_but_the_digest_itself_answers_for_it(line: str) -> None:
    """A digest for a value, or another one, is wrong, or no value."""
    assert output_matches(EXACT, TestCase("[1]", _LINE), _LINE.encode())
    assert not output_matches(EXACT, TestCase("[1]", _LINE), line.encode())
    assert not output_matches(EXACT, TestCase("[1]", dumps(["a"])), _LINE.encode())


def test_digests_are_kept_only_where_equality_is_the_whole_rule() -> None:
    oracles = {oracle for table in ORACLE_BY_ENTRY_POINT.values() for oracle in table.values()}
    assert allows_digests(EXACT)
    assert not any(allows_digests(MatchRule(Comparison.EVALPLUS, tolerance=0, oracle=one)) for one in oracles)
    assert not allows_digests(MatchRule(Comparison.EVALPLUS, tolerance=1e-6))
    assert not allows_digests(MatchRule(Comparison.VALUE, tolerance=0))
