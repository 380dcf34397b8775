"""An output is right where the matcher's promise says so, and nowhere else."""

import time
from typing import Any

import pytest

from turnwise.benchmarks import values
from turnwise.benchmarks.matching import MATCHERS, check_matcher, output_matches, texts_match, values_match
from turnwise.benchmarks.records import Comparison, MatchRule, TestCase
from turnwise.benchmarks.values import Opaque
from turnwise.errors import TurnwiseError

NINES, EIGHT = "9" * 20_000, "9" * 19_999 + "8"

# What is tried, the expected text, the output, and the matchers that accept: t(okens), e(xact), d(eepmind).
TEXTS: list[tuple[str, str | bytes, str | bytes, str]] = [
    ("the same", "1 2\n3\n", "1 2\n3\n", "ted"),
    ("no line break at the end", "5\n", "5", "ted"),
    ("more line breaks at the end", "5\n", "5\n\n\n", "ted"),
    ("CRLF at the end", "5\n", "5\r\n", "ted"),
    ("CRLF everywhere", "1\n2\n", "1\r\n2\r\n", "td"),
    ("trailing blanks", "1 2\n", "1 2  \n", "td"),
    ("leading blank", "5\n", " 5\n", "td"),
    ("two blanks", "1 2\n", "1  2\n", "td"),
    ("a tab", "1 2\n", "1\t2\n", "td"),
    ("a vertical tab", "1 2\n", "1\v2\n", "td"),
    ("a form feed, at which DeepMind's matcher does not split", "1 2\n", "1\f2\n", "t"),
    ("lines joined", "1\n2\n", "1 2\n", "td"),
    ("lines reordered", "1\n2\n", "2\n1\n", ""),
    ("prefix only", "1\n2\n3\n", "1\n2\n", ""),
    ("prefix of a token", "12\n", "1\n", ""),
    ("more than asked", "1\n2\n", "1\n2\n3\n", ""),
    ("repeated answer", "5\n", "5\n5\n", ""),
    ("empty and empty", "", "", "ted"),
    ("empty and a line break", "", "\n", "ted"),
    ("empty and a blank", "", " \n", "td"),
    ("empty expected", "", "0\n", ""),
    ("empty output", "0\n", "", ""),
    ("joined tokens", "1 2\n", "12\n", ""),
    ("a Python list", "1 2 3\n", "[1, 2, 3]\n", ""),
    # integers
    ("leading zero given", "101", "0101", "d"),
    ("leading zero expected", "0101", "101", "d"),
    ("two zeros", "0", "00", "d"),
    ("an integer as a float", "5", "5.0", "d"),
    ("an integer with a point", "5", "5.", "d"),
    ("an integer with an exponent", "100000", "1e5", "d"),
    ("an integer almost", "5", "5.0000001", "d"),
    ("plus given", "5", "+5", "td"),
    ("plus expected", "+5", "5", "td"),
    ("minus for plus", "5", "-5", ""),
    ("two signs", "5", "--5", ""),
    ("minus zero given", "0", "-0", "td"),
    ("minus zero expected", "-0", "0", "td"),
    ("plus zero for minus zero", "-0", "+0", "td"),
    ("minus zero as a float", "0", "-0.0", "d"),
    ("18 digits off by one, equal as doubles", "123456789012345678", "123456789012345679", "d"),
    ("18 digits for a float", "123456789012345678", "1.23456789012345678e17", "d"),
    ("20,000 digits", NINES, NINES, "ted"),
    ("20,000 digits off by one", NINES, EIGHT, ""),
    ("20,000 digits with a plus", NINES, "+" + NINES, "t"),
    ("20,000 digits and one more", NINES, NINES + "9", ""),
    ("underscore", "1000", "1_000", ""),
    ("hexadecimal", "16", "0x10", ""),
    ("non-ASCII digits", "12", "١٢", ""),
    ("a superscript", "2", "²", ""),
    # floats
    ("a float as an integer", "5.0", "5", "td"),
    ("fewer digits", "0.500", ".5", "td"),
    ("exponent form", "0.001", "1E-3", "td"),
    ("an expected exponent is a float", "1e5", "100000", "td"),
    ("minus zero", "0.0", "-0.0", "td"),
    ("exactly at the absolute border", "0.0", "0.000001", "td"),
    ("exactly at the absolute border, below", "0.0", "-0.000001", "td"),
    ("just beyond the absolute border", "0.0", "0.0000010000001", "d"),
    ("just beyond the absolute border, below", "0.0", "-0.0000010000001", "d"),
    ("exactly at the relative border", "1000000.0", "1000001", "t"),
    ("exactly at the relative border, below", "-1000000.0", "-1000001", "t"),
    ("just beyond the relative border", "1000000.0", "1000001.0001", ""),
    ("within DeepMind's border", "0.0", "0.0000099", "d"),
    ("exactly at DeepMind's border, which is open", "0.0", "0.00001", ""),
    ("beyond DeepMind's border", "0.0", "0.0000101", ""),
    ("the other sign", "0.5", "-0.5", ""),
    ("beyond the doubles, the same", "1e400", "1e400", "ted"),
    ("beyond the doubles, twice as much", "1e400", "2e400", ""),
    ("beyond the doubles, the other sign", "1e400", "-1e400", ""),
    ("beyond the doubles for a small one", "1.5", "1e400", ""),
    ("a small one for beyond the doubles", "1e400", "1.5", ""),
    ("infinity for beyond the doubles", "1e400", "inf", ""),
    ("below the doubles", "1e-400", "0", "td"),
    ("underscore in a float", "1000.0", "1_000", ""),
    ("hexadecimal for a float", "16.0", "0x10", ""),
    ("non-ASCII digits for a float", "12.0", "١٢", ""),
    ("decimal comma", "0.5", "0,5", ""),
    ("a fraction", "0.5", "1/2", ""),
    ("nan for a float", "0.5", "nan", ""),
    ("nan for an integer", "0", "nan", ""),
    ("a number for nan", "nan", "0.0", ""),
    ("inf for a float", "0.5", "inf", ""),
    ("nan as a word", "nan", "nan", "ted"),
    # words and bytes
    ("case", "YES\n", "Yes\n", "d"),
    ("case beyond ASCII, which DeepMind's matcher keeps", "É\n", "é\n", ""),
    ("a longer spelling of one letter", "straße", "strasse", ""),
    ("no-break space", "1 2", "1\u00a02", ""),
    ("ideographic space", "1 2", "1\u30002", ""),
    ("a separator that str.split knows", "1 2", "1\x1c2", ""),
    ("byte order mark", "5", "\ufeff5", ""),
    ("composed and decomposed", "é", "e\u0301", ""),
    ("invalid UTF-8 for a word", "a", b"\xff", ""),
    ("invalid UTF-8, the same", b"\xff\xfe", b"\xff\xfe", "ted"),
    ("invalid UTF-8 after a number", "5", b"5\xff", ""),
    ("NUL after a number", "5", "5\0", ""),
    ("NUL for a blank", "1 2", "1\x002", ""),
    ("NUL, the same", "a\0b", "a\0b", "ted"),
]


def as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


@pytest.mark.parametrize("matcher", MATCHERS)
@pytest.mark.parametrize(("why", "expected", "output", "accepting"), TEXTS, ids=[row[0] for row in TEXTS])
def test_a_text_is_right_as_the_table_says(
    why: str, expected: str | bytes, output: str | bytes, accepting: str, matcher: str
) -> None:
    accepted = texts_match(as_bytes(expected), as_bytes(output), matcher=matcher)
    assert accepted is (matcher[0] in accepting)


IGNORE_CASE, ANY_NUMBER = MatchRule(ignore_case=True), MatchRule(any_number=True)


@pytest.mark.parametrize(
    ("rule", "expected", "output", "accepted"),
    [
        (IGNORE_CASE, "YES no", "yes NO", True),
        (IGNORE_CASE, "É", "é", True),
        (IGNORE_CASE, "YES", "NO", False),
        (IGNORE_CASE, "a1", "A1", True),
        (IGNORE_CASE, "5", "5.0", False),
        (IGNORE_CASE, "a\n", b"\xff", False),
        (ANY_NUMBER, "5", "5.0", True),
        (ANY_NUMBER, "5", "5.000001", True),
        (ANY_NUMBER, "5", "5.1", False),
        (ANY_NUMBER, "0", "0.000001", True),
        (ANY_NUMBER, "1000000", "1000001", True),
        (ANY_NUMBER, "1000000", "1000001.01", False),
        (ANY_NUMBER, "5", "nan", False),
        (ANY_NUMBER, "5", "five", False),
        (ANY_NUMBER, "YES", "yes", False),
        (ANY_NUMBER, NINES, EIGHT, False),
        (MatchRule(tolerance=1e-2), "0.5", "0.509", True),
        (MatchRule(tolerance=1e-2), "0.5", "0.511", False),
    ],
)
def test_a_rule_widens_the_tokens_matcher_by_what_it_says(
    rule: MatchRule, expected: str, output: str | bytes, accepted: bool
) -> None:
    assert texts_match(as_bytes(expected), as_bytes(output), rule=rule) is accepted
    assert texts_match(as_bytes(expected), as_bytes(output), rule=rule, matcher="exact") is False


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


def _nest(value: Any, levels: int) -> Any:
    for _ in range(levels):
        value = [value]
    return value


NAN, INF = float("nan"), float("inf")
VALUES: list[tuple[Any, Any, bool]] = [
    ([1, 2], (1, 2), True),
    ([1, [2, 3]], (1, (2, 3)), True),
    ([1, 2], [2, 1], False),
    ([1, 2], [1], False),
    ([1, 2], {1, 2}, False),
    ([1], 1, True),
    ([[1, 2]], [1, 2], True),
    ([[1, 2]], (1, 2), True),
    (["ab"], "ab", True),
    ([0.5], 0.5000001, True),
    ([None], None, True),
    ([[5]], 5, False),
    (1, [1], False),
    ([1, 2], 1, False),
    ([], None, False),
    ([], (), True),
    ("ab", ["a", "b"], False),
    ("ab", b"ab", False),
    ("5", 5, False),
    (5, 5.0, True),
    (5, 5.0000001, False),
    (10**18 + 1, 1e18, False),
    (10**5000, 10**5000, True),
    (10**5000, 10**5000 + 1, False),
    (0.0, 1e-6, True),
    (0.0, 1.0000001e-6, False),
    (1e6, 1e6 + 1, True),
    (1e6, 1e6 + 1.001, False),
    (-1e6, -1e6 - 1, True),
    (1.0, 1, True),
    ([1.0, 2.0], (1.0000001, 2), True),
    ([1.0, 2.0], (1.0000001, 2.1), False),
    (0.5, 10**5000, False),
    (NAN, NAN, False),
    ([1, NAN], [1, NAN], False),
    (INF, INF, True),
    (INF, -INF, False),
    (INF, 1e308, False),
    (0.5, "0.5", False),
    (0.5, 0.5 + 0j, True),
    (True, 1, True),
    (1, True, True),
    (0, False, True),
    (True, False, False),
    (True, "True", False),
    (None, False, False),
    (None, 0, False),
    ({"1": 2}, {1: 2}, True),
    ({"1": [2.0]}, {1: (2.0000001,)}, True),
    ({"0.5": 1}, {0.5: 1}, True),
    ({"a": 1}, {"a": 1}, True),
    ({"a": 1}, {"a": 2}, False),
    ({"a": 1}, {"a": 1, "b": 2}, False),
    ({"1": 2, "2": 3}, {1: 2, "1": 2}, False),
    ({"1": 2}, {(1,): 2}, False),
    ({"1": 2}, {10**5000: 2}, False),
    ({"1": 2}, [["1", 2]], False),
    ("YES", "yes", False),
    (_nest(1, 190), _nest(1, 190), True),
    (_nest(1, 190), _nest(2, 190), False),
    (1, Opaque("a.B"), False),
    (None, Opaque("a.B"), False),
    ("a.B", Opaque("a.B"), False),
    (Opaque("a.B"), Opaque("a.B"), False),
    ([1, Opaque("a.B")], [1, Opaque("a.B")], False),
]


@pytest.mark.parametrize(("expected", "result", "equal"), VALUES, ids=[label(*row[:2]) for row in VALUES])
def test_a_result_is_right_by_value(expected: Any, result: Any, equal: bool) -> None:
    assert values_match(expected, result) is equal


@pytest.mark.parametrize(
    ("expected", "result", "ignore_case", "any_number"),
    [
        ("YES", "yes", True, False),
        (["É", "a"], ("é", "A"), True, False),
        ({"k": "YES"}, {"k": "yes"}, True, False),
        ("YES", "no", False, False),
        (5, 5.000001, False, True),
        ([5], [5.000001], False, True),
        (5, 5.1, False, False),
        (2**9999, 5.0, False, False),
    ],
)
def test_a_rule_widens_values_by_what_it_says(expected: Any, result: Any, ignore_case: bool, any_number: bool) -> None:
    assert values_match(expected, result, rule=MatchRule(Comparison.VALUE, ignore_case=True)) is ignore_case
    assert values_match(expected, result, rule=MatchRule(Comparison.VALUE, any_number=True)) is any_number


def test_one_problem_is_compared_as_its_rule_says() -> None:
    text, value, plus = MatchRule(), MatchRule(Comparison.VALUE), MatchRule(Comparison.EVALPLUS, tolerance=0)
    pair = values.dumps([1, 2]), values.dumps((1, 2)).encode()
    assert output_matches(text, TestCase("", "1 2"), b"1\n2\n")
    assert not output_matches(text, TestCase("", "1 2"), b"1\n2\n", matcher="exact")
    assert output_matches(value, TestCase("[]", pair[0]), pair[1])
    assert not output_matches(plus, TestCase("[]", pair[0]), pair[1])
    assert not output_matches(text, TestCase("", "\ud800"), b"\xff")


@pytest.mark.parametrize("output", [b"", b"nul", b"\xff", b'{"c": []}', b'{"t": 1}', b"[" * 10**5, "é".encode()])
@pytest.mark.parametrize("comparison", [Comparison.VALUE, Comparison.EVALPLUS])
def test_a_result_that_is_no_value_is_a_value_error(output: bytes, comparison: Comparison) -> None:
    with pytest.raises(ValueError):  # the judge shows none of it
        output_matches(MatchRule(comparison), TestCase("[]", "1"), output)


def test_a_test_without_an_expected_output_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="has not been computed"):
        output_matches(MatchRule(), TestCase("", None), b"")


def test_an_unknown_matcher_is_refused_with_the_known_ones() -> None:
    assert [check_matcher(name) for name in MATCHERS] == list(MATCHERS)
    with pytest.raises(TurnwiseError, match=r"Unknown matcher 'fuzzy': choose one of tokens, exact, deepmind\."):
        check_matcher("fuzzy")
