"""An output is right where the matcher's promise says so, and nowhere else."""

import itertools
import time
import tracemalloc
from collections import deque
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.benchmarks import values
from turnwise.benchmarks.matching import MATCHERS, check_matcher, output_matches, texts_match, values_match
from turnwise.benchmarks.oracles import evalplus_accepts
from turnwise.benchmarks.results import Result
from turnwise.benchmarks.values import Opaque
from turnwise.errors import TurnwiseError
from turnwise.records.problem import Comparison, MatchRule, TestCase

NINES, EIGHT = "9" * 20_000, "9" * 19_999 + "8"
ARABIC_TWELVE = "\u0661\u0662"

# What is tried, the expected text, the output, and the matchers that accept: t(okens), e(xact), d(eepmind).
TEXTS: list[tuple[str, str | bytes, str | bytes, str]] = [
    ("the same", "1 2\n3\n", "1 2\n3\n", "ted"),
    ("no line break at the end", "5\n", "5", "ted"),
    ("more line breaks at the end", "5\n", "5\n\n\n", "ted"),
    ("CRLF at the end", "5\n", "5\r\n", "ted"),
    ("CRLF everywhere", "1\n2\n", "1\r\n2\r\n", "td"),
    ("trailing blanks", "1 2\n", "1 2  \n", "td"),
    ("leading blank", "5\n", " 5\n", "td"),
    ("tab for blank", "1 2\n", "1\t2\n", "td"),
    ("form feed, at which the published matcher does not split", "1 2\n", "1\f2\n", "t"),
    ("lines joined", "1\n2\n", "1 2\n", "td"),
    ("lines reordered", "1\n2\n", "2\n1\n", ""),
    ("prefix only", "1\n2\n3\n", "1\n2\n", ""),
    ("prefix of a token", "12\n", "1\n", ""),
    ("repeated answer", "5\n", "5\n5\n", ""),
    ("tokens joined", "1 2\n", "12\n", ""),
    ("empty and empty", "", "", "ted"),
    ("empty and a line break", "", "\n", "ted"),
    ("empty and a blank", "", " \n", "td"),
    ("empty expected", "", "0\n", ""),
    ("empty output", "0\n", "", ""),
    # integers
    ("leading zero given", "101", "0101", "d"),
    ("leading zero expected", "0101", "101", "d"),
    ("integer as float", "5", "5.0", "d"),
    ("integer with an exponent", "100000", "1e5", "d"),
    ("integer almost", "5", "5.0000001", "d"),
    ("plus given", "5", "+5", "td"),
    ("plus expected", "+5", "5", "td"),
    ("minus for plus", "5", "-5", ""),
    ("two signs", "5", "--5", ""),
    ("minus zero given", "0", "-0", "td"),
    ("minus zero expected", "-0", "+0", "td"),
    ("minus zero as float", "0", "-0.0", "d"),
    ("18 digits off by one, equal as doubles", "123456789012345678", "123456789012345679", "d"),
    ("20,000 digits", NINES, NINES, "ted"),
    ("20,000 digits off by one", NINES, EIGHT, ""),
    ("20,000 digits with a plus", NINES, "+" + NINES, "t"),
    ("underscore", "1000", "1_000", ""),
    ("hexadecimal", "16", "0x10", ""),
    ("non-ASCII digits", "12", ARABIC_TWELVE, ""),
    # floats
    ("float as integer", "5.0", "5", "td"),
    ("other spelling", "0.500", ".5", "td"),
    ("exponent given", "0.001", "1E-3", "td"),
    ("exponent expected is a float", "1e5", "100000", "td"),
    ("float minus zero", "0.0", "-0.0", "td"),
    ("at the absolute border", "0.0", "0.000001", "td"),
    ("at the absolute border below", "0.0", "-0.000001", "td"),
    ("just beyond the absolute border", "0.0", "0.0000010000001", "d"),
    ("at the relative border", "1000000.0", "1000001", "t"),
    ("at the relative border below", "-1000000.0", "-1000001", "t"),
    ("just beyond the relative border", "1000000.0", "1000001.0001", ""),
    ("within DeepMind's border", "0.0", "0.0000099", "d"),
    ("at DeepMind's border, which is open", "0.0", "0.00001", ""),
    ("beyond DeepMind's border", "0.0", "0.0000101", ""),
    ("1e400, the same", "1e400", "1e400", "ted"),
    ("1e400 and 2e400", "1e400", "2e400", ""),
    ("1e400 and its negative", "1e400", "-1e400", ""),
    ("1e400 for a small number", "1.5", "1e400", ""),
    ("inf for 1e400", "1e400", "inf", ""),
    ("1e-400 and zero", "1e-400", "0", "td"),
    ("underscore in a float", "1000.0", "1_000", ""),
    ("hexadecimal for a float", "16.0", "0x10", ""),
    ("non-ASCII digits for a float", "12.0", ARABIC_TWELVE, ""),
    ("decimal comma", "0.5", "0,5", ""),
    ("nan for a float", "0.5", "nan", ""),
    ("nan for an integer", "0", "nan", ""),
    ("a number for nan", "nan", "0.0", ""),
    ("nan as a word", "nan", "nan", "ted"),
    # words and bytes
    ("case", "YES\n", "Yes\n", "d"),
    ("case beyond ASCII, which the published matcher keeps", "É\n", "é\n", ""),
    ("no-break space", "1 2", "1\u00a02", ""),
    ("ideographic space", "1 2", "1\u30002", ""),
    ("a separator that str.split knows", "1 2", "1\x1c2", ""),
    ("byte order mark", "5", "\ufeff5", ""),
    ("invalid UTF-8 for a word", "a", b"\xff", ""),
    ("invalid UTF-8, the same", b"\xff\xfe", b"\xff\xfe", "ted"),
    ("invalid UTF-8 after a number", "5", b"5\xff", ""),
    ("NUL after a number", "5", "5\0", ""),
    ("NUL for blank", "1 2", "1\x002", ""),
    ("NUL, the same", "a\0b", "a\0b", "ted"),
]


def as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


@pytest.mark.parametrize("matcher", MATCHERS)
@pytest.mark.parametrize(("expected", "output", "accepting"), [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_a_text_is_right_as_the_table_says(
    expected: str | bytes, output: str | bytes, accepting: str, matcher: str
) -> None:
    accepted = texts_match(as_bytes(expected), as_bytes(output), matcher=matcher)
    assert accepted is (matcher[0] in accepting)


IGNORE_CASE, ANY_NUMBER = MatchRule(ignore_case=True), MatchRule(any_number=True)


@pytest.mark.parametrize(
    ("rule", "expected", "accepted", "refused"),
    [
        (IGNORE_CASE, "YES", ("yes", "Yes"), ("NO", b"\xff")),
        (IGNORE_CASE, "É 5", ("é 5",), ("e 5", "é 5.0")),
        (ANY_NUMBER, "5", ("5.0", "5.000001", "+5"), ("5.1", "nan", "five", "6")),
        (ANY_NUMBER, "1000000", ("1000001",), ("1000001.01",)),
        (ANY_NUMBER, "YES", ("YES",), ("yes",)),
        (ANY_NUMBER, NINES, (NINES,), (EIGHT,)),
        (MatchRule(tolerance=1e-2), "0.5", ("0.509",), ("0.511",)),
    ],
)
def test_a_rule_widens_the_tokens_by_what_it_says(
    rule: MatchRule, expected: str, accepted: tuple[str, ...], refused: tuple[str | bytes, ...]
) -> None:
    assert all(texts_match(expected.encode(), as_bytes(output), rule=rule) for output in accepted)
    assert not any(texts_match(expected.encode(), as_bytes(output), rule=rule) for output in refused)


@pytest.mark.parametrize("matcher", MATCHERS)
@pytest.mark.parametrize("expected", [b"0.5", b"5", b"x"])
@pytest.mark.parametrize("length", [4000, 12_000])
def test_digits_that_end_in_a_letter_take_no_longer_than_reading_them(
    matcher: str, expected: bytes, length: int
) -> None:
    start = time.process_time()
    assert not texts_match(expected, b"1" * length + b"x", matcher=matcher)
    assert time.process_time() - start < 0.2


def label(*parts: Any) -> str:
    """Name a row of a table whose integers may be too long to print."""
    try:
        return " ".join(map(repr, parts))[:50]
    except ValueError:
        return "a long integer"


def sent(result: Any) -> Result:
    """Return the result as it comes from a program's process."""
    return Result(values.dumps(result).encode())


def nested(value: Any) -> Any:
    for _ in range(values.MAXIMUM_DEPTH - 2):
        value = [value]
    return value


NAN, INF, HUGE = float("nan"), float("inf"), 10**5000
OPAQUE = Opaque("a.B")
# An expected value, results that equal it, results that do not.
VALUES: list[tuple[Any, tuple[Any, ...], tuple[Any, ...]]] = [
    ([1, [2, 3]], ((1, (2, 3)), [1, (2, 3)]), ([1, 2, 3], [[2, 3], 1], [1], {1, 2}, None)),
    ([1], (1, [1], (1,), 1.0), ([[1]], 2, "1", OPAQUE)),
    ([[1, 2]], ([1, 2], (1, 2), [[1, 2]]), ([2, 1], 1)),
    ([[5]], ([5],), (5,)),
    (["ab"], ("ab",), ("a", b"ab", ["a", "b"])),
    ([None], (None,), ([], 0)),
    ([], ((),), (None, 0, "", {}, set())),
    ("5", ("5",), (5, b"5", ["5"])),
    ("YES", (), ("yes",)),
    (5, (5, 5.0), (5.0000001, "5", [5], None)),
    (10**18 + 1, (10**18 + 1,), (1e18, 10**18)),
    (HUGE, (HUGE,), (HUGE + 1, 5.0, INF)),
    (0.0, (1e-6, -1e-6, 0, -0.0), (1.0000001e-6, NAN, None, "0.0")),
    (1e6, (1e6 + 1, 1_000_001), (1e6 + 1.001, 1_000_002)),
    ([1.0, 2.0], ((1.0000001, 2),), ((1.0000001, 2.1), [1.0])),
    (0.5, (), (HUGE, "0.5", OPAQUE, [0.5])),
    (NAN, (), (NAN, 0.0, None)),
    ([1, NAN], (), ([1, NAN],)),
    (INF, (INF,), (-INF, 1e308, HUGE, NAN)),
    (True, (True, 1), (False, "True", 2, None)),
    (1, (True, 1), (False,)),
    (None, (None,), (False, 0, "", [], OPAQUE)),
    ({"1": [2.0]}, ({1: (2.0000001,)}, {"1": [2.0]}), ({2: [2.0]}, {(1,): [2.0]}, {HUGE: [2.0]}, {}, [["1", [2.0]]])),
    ({"0.5": 1, "a": 2}, ({0.5: 1, "a": 2},), ({0.5: 1}, {0.5: 2, "a": 2}, {0.5: 1, "a": 2, "b": 3})),
    ({"1": 2, "2": 3}, (), ({1: 2, "1": 2},)),
    (nested(1), (nested(1), nested(1.0)), (nested(2),)),
    (OPAQUE, (), (Opaque("a.B"), "a.B", None)),
    ([1, OPAQUE], (), ([1, Opaque("a.B")],)),
]


@pytest.mark.parametrize(("expected", "equal", "unequal"), VALUES, ids=[label(row[0]) for row in VALUES])
def test_a_result_is_right_by_value(expected: Any, equal: tuple[Any, ...], unequal: tuple[Any, ...]) -> None:
    assert [result for result in equal if not values_match(expected, sent(result))] == []
    assert [label(result) for result in unequal if values_match(expected, sent(result))] == []


@pytest.mark.parametrize(
    ("expected", "result", "widened_by"),
    [
        ("YES", "yes", "ignore_case"),
        ({"k": ["É"]}, {"k": ("é",)}, "ignore_case"),
        (5, 5.000001, "any_number"),
        ([5], [5.000001], "any_number"),
        (5, 5.1, ""),
        (2**9999, 5.0, ""),
    ],
    ids=range(6),
)
def test_a_rule_widens_values_by_what_it_says(expected: Any, result: Any, widened_by: str) -> None:
    for widening in ("ignore_case", "any_number"):
        rule = MatchRule(Comparison.VALUE, widening == "ignore_case", widening == "any_number")
        assert values_match(expected, sent(result), rule=rule) is (widening == widened_by)


def test_a_test_is_compared_as_its_rule_says() -> None:
    text, value, plus = MatchRule(), MatchRule(Comparison.VALUE), MatchRule(Comparison.EVALPLUS, tolerance=0)
    test, result = TestCase("[]", values.dumps([1, 2])), values.dumps((1, 2)).encode()
    assert output_matches(text, TestCase("", "1 2"), b"1\n2\n")
    assert not output_matches(text, TestCase("", "1 2"), b"1\n2\n", matcher="exact")
    assert not output_matches(text, TestCase("", "\ud800"), b"\xff")
    assert output_matches(value, test, result) and not output_matches(plus, test, result)


@pytest.mark.parametrize("value", [NAN, [1, NAN], {"a": NAN}, complex(NAN, 1), OPAQUE, (OPAQUE,)], ids=label)
@pytest.mark.parametrize("comparison", [Comparison.VALUE, Comparison.EVALPLUS])
def test_what_is_unequal_to_itself_is_not_right_for_being_written_alike(value: Any, comparison: Comparison) -> None:
    text = values.dumps(value)
    assert not output_matches(MatchRule(comparison), TestCase("[]", text), text.encode())


@pytest.mark.parametrize("output", [b"", b"nul", b"\xff", b'{"c": []}', b'{"t": 1}', b"1 2"])
@pytest.mark.parametrize("comparison", [Comparison.VALUE, Comparison.EVALPLUS])
def test_a_result_that_is_no_value_is_a_value_error(output: bytes, comparison: Comparison) -> None:
    with pytest.raises(ValueError):  # any message will do: the judge shows none
        output_matches(MatchRule(comparison), TestCase("[]", "1"), output)


def test_a_test_without_an_expected_output_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="has not been computed"):
        output_matches(MatchRule(), TestCase("", None), b"")


def test_an_unknown_matcher_is_refused_with_the_known_ones() -> None:
    assert [check_matcher(name) for name in MATCHERS] == list(MATCHERS)
    with pytest.raises(TurnwiseError, match=r"Unknown matcher 'fuzzy': choose one of tokens, exact, deepmind\."):
        check_matcher("fuzzy")


def test_a_dict_with_a_giant_key_is_wrong_at_once() -> None:
    """Keys are compared as JSON wrote them; an integer of ten million digits is not written for that."""
    assert not values_match({"1": 1}, sent({(1 << 30_000_000) - 1: 1}))
    assert values_match({str(2**100): 1, "-7": 2}, sent({2**100: 1, -7: 2}))


_PRIME = 2**61 - 1  # every multiple of it has the hash 0


def _probe_chain(bits: int, fill: int, repeats: int) -> list[int]:
    """Return keys that fill one chain of a dict's places, then one more that walks all of it, again and again."""
    mask, key, places = (1 << bits) - 1, 0, {}
    order = []
    for index in range(fill):
        order.append(key)
        places[key] = index
        key = (key * 5 + 1) & mask
    walker = 1 << bits
    while True:
        walker += 1
        place, perturb, walks = walker & mask, walker, True
        while perturb and walks:
            walks = place in places
            perturb >>= 5
            place = (place * 5 + perturb + 1) & mask
        if walks and place in places and places[place] < fill // 50:
            return order + [walker] * repeats


_CHAIN = ",".join(map(str, _probe_chain(14, 10_000, 20_000)))
_ONE_HASH = ",".join('{"i": "%x"}' % (_PRIME * number) for number in range(1, 20_000))
_SAME_NUMBERS = "1," * 5_000_000 + "1"


def _as(kind: str, items: str) -> bytes:
    if kind == "d":
        items = ",".join(f"[{item}, 1]" for item in items.split(","))
    return b"%s" % (items if kind == "" else '{"%s": [%s]}' % (kind, items)).encode()


@pytest.mark.parametrize("kind", ["s", "z", "d", "y"])
@pytest.mark.parametrize("items", [_CHAIN, _ONE_HASH, _SAME_NUMBERS], ids=["chain", "one hash", "one number"])
@pytest.mark.parametrize(("expected", "oracle"), [({1, 2}, ""), ({1: 2}, ""), ([1, 2], "same_set")])
def test_what_is_hostile_to_sets_is_wrong_after_work_in_proportion_to_the_expected_value(
    monkeypatch: pytest.MonkeyPatch, kind: str, items: str, expected: Any, oracle: str
) -> None:
    """As a set or dict it would take the judge minutes: nothing that a program returned is ever hashed."""
    output = _as(kind, items)
    rule = MatchRule(Comparison.EVALPLUS, oracle=oracle)
    reads, read = itertools.count(), Result.value
    monkeypatch.setattr(Result, "value", lambda result: (read(result), next(reads))[0])
    assert not output_matches(rule, TestCase("[]", values.dumps(expected)), output)
    assert next(reads) < 100_000


def test_usual_collisions_and_repeated_items_are_no_attack() -> None:
    few = {_PRIME * number for number in range(200)}
    corners: Any = set(itertools.product((-1, -2), repeat=8))  # all of one hash
    rule = MatchRule(Comparison.EVALPLUS)
    sound: tuple[Any, ...] = (few, corners, dict.fromkeys(corners, 1), {frozenset(few): (1, frozenset())})
    for value in sound:
        assert evalplus_accepts(value, sent(value), arguments=(), rule=rule)
    rule = MatchRule(Comparison.EVALPLUS, oracle="same_set")
    assert output_matches(rule, TestCase("[]", "[1, 2]"), values.dumps([1, 2.0] * 5000).encode())


@pytest.mark.parametrize(
    ("expected", "result"),
    [
        ({1, 2}, {1.0, 2}),
        ({(1, 2.0), None}, {(1.0, 2), None}),
        ({frozenset([1, 2])}, {frozenset([2, True])}),
        (frozenset([1]), {1}),
        ({1: 1.0, "a": b"b"}, {"a": b"b", True: 1}),
        (0.5, Fraction(1, 2)),
        ([2, 0.25], [Decimal(2), Decimal("0.25")]),
        ({0.5, 3}, {Decimal("0.5"), Fraction(3)}),
        (-0.0, 0),
        (2**70, float(2**70)),
        (1, 1 + 0j),
    ],
    ids=label,
)
def test_values_equal_each_other_as_python_has_it(expected: Any, result: Any) -> None:
    rule = MatchRule(Comparison.EVALPLUS, tolerance=0)
    assert expected == result
    assert evalplus_accepts(expected, sent(result), arguments=(), rule=rule)


@pytest.mark.parametrize(
    "result",
    [(n for n in (2, 1)), map(int, "12"), {1: 3, 2: 4}.keys(), range(1, 3), deque([2, 1, 1]), filter(None, (0, 1, 2))],
    ids=lambda result: type(result).__name__,
)
def test_a_result_of_any_kind_that_has_items_is_right_where_a_set_is_compared(result: Any) -> None:
    """As evalplus has it; where no set is compared, none of these equals a list or a tuple."""
    line = values.dumps(result).encode()
    for oracle, expected, accepted in (
        ("same_set", "[1, 2]", True),
        ("", "[1, 2]", False),
        ("", '{"t": [1, 2]}', False),
    ):
        rule = MatchRule(Comparison.EVALPLUS, oracle=oracle)
        assert output_matches(rule, TestCase("[]", expected), line) is accepted


def test_a_result_without_end_is_opaque() -> None:
    assert values.dumps(itertools.count()) == '{"?": "endless"}'


def _peak_bytes(rule: MatchRule, expected: str, output: bytes, matcher: str) -> int:
    tracemalloc.start()
    assert not output_matches(rule, TestCase("[]", expected), output, matcher=matcher)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("matcher", ["tokens", "deepmind"])
def test_a_flood_of_words_takes_no_memory(matcher: str) -> None:
    """Of an output only as many words are read as were asked for."""
    output = b"1 " * 2_000_000
    assert _peak_bytes(MatchRule(), "1 2 3", output, matcher) < 2 * len(output)


@pytest.mark.parametrize("comparison", [Comparison.VALUE, Comparison.EVALPLUS])
def test_a_flood_of_values_takes_no_memory(comparison: Comparison) -> None:
    """A result with a million values more than was asked for is wrong before it is read."""
    output = b"[" + b"[]," * 2_000_000 + b"[]]"
    for expected in ("[1, 2]", "[[], [], []]", '{"s": [1]}', '"a"'):
        assert _peak_bytes(MatchRule(comparison), expected, output, "tokens") < 1_000_000


_MEGABYTES = 8 << 20
_FLOODS: list[tuple[bytes, bytes]] = [
    (b"1 2", b"1" * _MEGABYTES),
    (b"a", b"\xc3\x89" * (_MEGABYTES // 2)),
    (b"1", b" " * _MEGABYTES + b"2"),
    (b"1 " * 200_000 + b"2", b"1 " * 200_000 + b"3"),
    (b"0.5", b"0." + b"5" * _MEGABYTES),
]


@pytest.mark.parametrize("matcher", MATCHERS)
@pytest.mark.parametrize(("expected", "output"), _FLOODS, ids=range(len(_FLOODS)))
def test_a_text_takes_no_more_memory_than_itself(expected: bytes, output: bytes, matcher: str) -> None:
    """Words of an output, and of an expected text, are taken one by one: as a list they take forty times their size."""
    rule = MatchRule(ignore_case=True)
    tracemalloc.start()
    assert not texts_match(expected, output, rule=rule, matcher=matcher)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(output) + 1_000_000


_BLANKED = st.lists(st.sampled_from(["1", "ab", " ", "\n", "x" * 70_000, " " * 70_000, "\x0b"]), max_size=12).map(
    "".join
)


@given(_BLANKED)
@settings(deadline=None, max_examples=60)
def test_words_are_those_that_split_finds(text: str) -> None:
    assert texts_match(" ".join(text.split()).encode(), text.encode())
    assert not texts_match(" ".join([*text.split(), "1"]).encode(), text.encode())


def test_a_long_result_that_was_asked_for_is_compared() -> None:
    numbers = list(range(700_000))
    text = values.dumps(numbers)
    assert len(text) > 4_000_000
    rule = MatchRule(Comparison.VALUE)
    assert not output_matches(rule, TestCase("[]", text), values.dumps([*numbers[:-1], 0]).encode())
    assert output_matches(rule, TestCase("[]", text), values.dumps(tuple(numbers)).encode())
