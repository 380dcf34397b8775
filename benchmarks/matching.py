"""When an output is right: text matchers, values of call-based tasks, and the dispatch over both.

Three matchers compare the text of stdout (the run's setting, recorded in every row):

- ``tokens`` (default): whitespace-separated tokens. An expected integer matches the same digits only
  (a leading + and -0 are normalised), never through int() or float(); an expected float matches any
  number within the tolerance, absolute or relative as the problem says; any other word matches itself.
- ``exact``: the same bytes, apart from line breaks at the very end.
- ``deepmind``: as the matcher published with CodeContests: tokens, case-insensitive, and any two numbers
  within 1e-5 absolute, compared as doubles (so 18-digit integers may pass wrongly: for parity only).

NaN equals no number. Outputs are hostile: words are taken one by one and a call's result is read in step with the
expected value (results.py), so that either ends at the first difference, and a result far longer than the expected one
is wrong without being read to its end. Nothing here runs a program; special oracles of evalplus are in oracles.py.
"""

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import zip_longest

from turnwise.benchmarks import values
from turnwise.benchmarks.digests import read_digest
from turnwise.benchmarks.equality import Equality, same_value
from turnwise.benchmarks.oracles import evalplus_accepts
from turnwise.benchmarks.results import BeyondLimitError, Result
from turnwise.errors import TurnwiseError
from turnwise.records.choices import Matcher
from turnwise.records.problem import Comparison, MatchRule, Measure, TestCase
from turnwise.records.settings import DEFAULT_MATCHER
from turnwise.texts import shown

MATCHERS = tuple(matcher.value for matcher in Matcher)
DEEPMIND_TOLERANCE = 1e-5

_INTEGER = re.compile(rb"[+-]?[0-9]+")
_NUMBER = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DEEPMIND_TOKEN = re.compile(rb"[^ \t\r\n]+")
_LONGEST_NUMBER = 4096
_MOST_FOLDED = 12  # bytes that one of another case may take
_WINDOW_BYTES = 1 << 16
# How much longer a result may be than the expected value: numbers are written in up to eight times as many characters.
_LIMIT_FACTOR = 16
_LIMIT_BYTES = 1 << 16
_UNEQUAL_TO_ITSELF = (b'"nan"', b'"?"')


def check_matcher(name: str) -> str:
    """Return ``name`` if it is a matcher, else raise TurnwiseError listing the known ones."""
    if name not in MATCHERS:
        raise TurnwiseError(f"Unknown matcher {shown(name)}: choose one of {', '.join(MATCHERS)}.")
    return name


def output_matches(rule: MatchRule, test: TestCase, output: bytes, *, matcher: str = DEFAULT_MATCHER) -> bool:
    """Return whether ``output`` answers ``test``: stdout bytes, or one line of tagged JSON for a call.

    Raises ValueError if the test has no expected output or a call's output is malformed.
    """
    if test.output is None:
        raise ValueError("the expected output of this test has not been computed")
    if rule.comparison is Comparison.TEXT:
        return texts_match(test.output.encode("utf-8", "surrogatepass"), output, rule=rule, matcher=matcher)
    if (
        output == test.output.encode("ascii")
        and not rule.oracle
        and not any(mark in output for mark in _UNEQUAL_TO_ITSELF)
    ):
        return True  # the same value, written the same way
    digest = read_digest(test.output)
    if digest is not None:
        return digest.equals(read_digest(output))
    room = len(test.output) + (len(test.input) if rule.oracle else 0)
    result, expected = Result(output, limit=_LIMIT_BYTES + _LIMIT_FACTOR * room), values.loads(test.output)
    try:
        if rule.comparison is Comparison.VALUE:
            return values_match(expected, result, rule=rule)
        return evalplus_accepts(expected, result, arguments=values.loads(test.input), rule=rule)
    except (BeyondLimitError, TypeError):  # TypeError: a set of what cannot be in one
        return False


def texts_match(
    expected: bytes, output: bytes, *, rule: MatchRule | None = None, matcher: str = DEFAULT_MATCHER
) -> bool:
    """Return whether the text ``output`` equals ``expected`` in the sense of ``matcher``."""
    rule = rule or MatchRule()
    if matcher == "exact":
        return output.rstrip(b"\r\n") == expected.rstrip(b"\r\n")
    if matcher == "deepmind":
        return all(
            want is not None and give is not None and _deepmind_token_matches(want[0], give[0])
            for want, give in zip_longest(_DEEPMIND_TOKEN.finditer(expected), _DEEPMIND_TOKEN.finditer(output))
        )
    return all(
        want is not None and give is not None and _token_matches(want, give, rule)
        for want, give in zip_longest(_tokens(expected), _tokens(output))
    )


def values_match(expected: object, result: Result, *, rule: MatchRule | None = None) -> bool:
    """Return whether a call's ``result`` equals ``expected`` by value.

    Lists equal tuples, floats compare as in ``tokens`` where the expected value is a float, and TACO's
    one-element list around the result is accepted. Raises MalformedResultError for what is no value,
    BeyondLimitError for one beyond its limit.
    """
    rule = rule or MatchRule(comparison=Comparison.VALUE)

    def scalars(want: object, give: object) -> bool:
        return _scalars_equal(want, give, rule)

    how = Equality(scalars, sequences_alike=True, text_keys=True)
    if same_value(expected, result, how):
        return True
    return isinstance(expected, list) and len(expected) == 1 and same_value(expected[0], result, how)


def _tokens(text: bytes) -> Iterator[bytes]:
    """Yield the words of ``text``, split a window at a time: all at once may take forty times its size."""
    start, width = 0, _WINDOW_BYTES
    while start < len(text):
        end = start + width
        window = text[start:end]
        words = window.split()
        if end < len(text) and not window[-1:].isspace():  # the last word may go on
            if len(words) == 1:
                width *= 2
                continue
            end -= len(words.pop())
        yield from words
        start, width = end, _WINDOW_BYTES


def _token_matches(expected: bytes, output: bytes, rule: MatchRule) -> bool:
    if expected == output:
        return True
    if len(output) > max(_LONGEST_NUMBER, _MOST_FOLDED * len(expected)):
        return False  # as a text it may take four times as much
    if _INTEGER.fullmatch(expected):
        if _plain_integer(expected) == _plain_integer(output):
            return True
        return rule.any_number and _numbers_close(expected, output, rule)
    if _NUMBER.fullmatch(expected):
        return _numbers_close(expected, output, rule)
    return rule.ignore_case and _folded(expected) == _folded(output)


def _plain_integer(token: bytes) -> bytes:
    if _INTEGER.fullmatch(token) is None:
        return token
    token = token.removeprefix(b"+")
    return b"0" if token == b"-0" else token


def _numbers_close(expected: bytes, output: bytes, rule: MatchRule) -> bool:
    if not _NUMBER.fullmatch(output) or max(len(expected), len(output)) > _LONGEST_NUMBER:
        return False
    wanted, given = float(expected), float(output)
    return math.isfinite(wanted) and math.isfinite(given) and _floats_close(wanted, given, rule)


def _floats_close(expected: float, output: float, rule: MatchRule) -> bool:
    unit = 1.0 if rule.measure is Measure.ABSOLUTE else abs(expected)
    if rule.measure is Measure.EITHER:
        unit = max(1.0, unit)
    return abs(expected - output) <= rule.tolerance * unit


def _folded(token: bytes) -> str:
    return token.decode("utf-8", "surrogateescape").casefold()


def _deepmind_token_matches(expected: bytes, output: bytes) -> bool:
    if len(expected) == len(output) and expected.lower() == output.lower():
        return True
    if max(len(expected), len(output)) > _LONGEST_NUMBER:
        return False
    if _NUMBER.fullmatch(expected) and _NUMBER.fullmatch(output):
        return abs(float(expected) - float(output)) < DEEPMIND_TOLERANCE
    return False


def _scalars_equal(expected: object, result: object, rule: MatchRule) -> bool:
    if isinstance(expected, str) and isinstance(result, str):
        return expected == result or (rule.ignore_case and expected.casefold() == result.casefold())
    if isinstance(expected, float) and isinstance(result, int | float | Fraction) and not isinstance(result, bool):
        return _number_values_close(expected, result, rule)
    if rule.any_number and isinstance(expected, int) and isinstance(result, float):
        return _number_values_close(expected, result, rule)
    return bool(expected == result)


def _number_values_close(expected: float, result: float | Fraction, rule: MatchRule) -> bool:
    try:
        wanted, given = float(expected), float(result)
        if not (math.isfinite(wanted) and math.isfinite(given)):
            return wanted == given
        return _floats_close(wanted, given, rule)
    except OverflowError:
        return False
