"""When an output is right: text matchers, values of call-based tasks, and the dispatch over both.

Three matchers compare the text of stdout (the run's setting, recorded in every row):

- ``tokens`` (default): whitespace-separated tokens. An expected integer matches the same digits only
  (a leading + and -0 are normalised), never through int() or float(); an expected float matches any
  number within the tolerance, absolute or relative; any other word matches itself.
- ``exact``: the same bytes, apart from line breaks at the very end.
- ``deepmind``: as the matcher published with CodeContests: tokens, case-insensitive, and any two numbers
  within 1e-5 absolute, compared as doubles (so 18-digit integers may pass wrongly: for parity only).

NaN equals no number. Nothing here runs a program; special oracles of evalplus are in oracles.py.
"""

import math
import re
from itertools import islice
from typing import Any

from turnwise.benchmarks import values
from turnwise.benchmarks.integers import format_integer
from turnwise.benchmarks.oracles import evalplus_accepts
from turnwise.benchmarks.records import Comparison, MatchRule, TestCase
from turnwise.errors import TurnwiseError

MATCHERS = ("tokens", "exact", "deepmind")
DEFAULT_MATCHER = "tokens"
DEEPMIND_TOLERANCE = 1e-5

_INTEGER = re.compile(rb"[+-]?[0-9]+")
_NUMBER = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DEEPMIND_TOKEN = re.compile(rb"[^ \t\r\n]+")
_LONGEST_NUMBER = 4096
_MANY_ITEMS = 1_000_000
_UNEQUAL_TO_ITSELF = (b'"nan"', b'"?"')


def check_matcher(name: str) -> str:
    """Return ``name`` if it is a matcher, else raise TurnwiseError listing the known ones."""
    if name not in MATCHERS:
        raise TurnwiseError(f"Unknown matcher {name!r}: choose one of {', '.join(MATCHERS)}.")
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
    if _items(output) > _MANY_ITEMS + 4 * _items(test.output.encode("ascii")):
        return False  # far more than was asked for, which as objects would take gigabytes
    result, expected = values.loads(output.decode("ascii")), values.loads(test.output)
    if rule.comparison is Comparison.VALUE:
        return values_match(expected, result, rule=rule)
    return evalplus_accepts(expected, result, arguments=values.loads(test.input), rule=rule)


def texts_match(
    expected: bytes, output: bytes, *, rule: MatchRule | None = None, matcher: str = DEFAULT_MATCHER
) -> bool:
    """Return whether the text ``output`` equals ``expected`` in the sense of ``matcher``."""
    rule = rule or MatchRule()
    if matcher == "exact":
        return output.rstrip(b"\r\n") == expected.rstrip(b"\r\n")
    if matcher == "deepmind":
        wanted = _DEEPMIND_TOKEN.findall(expected)
        given = [found[0] for found in islice(_DEEPMIND_TOKEN.finditer(output), len(wanted) + 1)]
        return len(wanted) == len(given) and all(map(_deepmind_token_matches, wanted, given))
    wanted = expected.split()
    given = output.split(None, len(wanted) + 1)  # as many as can matter of an output that may be huge
    if len(wanted) != len(given):
        return False
    return all(_token_matches(want, give, rule) for want, give in zip(wanted, given, strict=True))


def values_match(expected: Any, result: Any, *, rule: MatchRule | None = None) -> bool:
    """Return whether a call's ``result`` equals ``expected`` by value.

    Lists equal tuples, floats compare as in ``tokens`` where the expected value is a float, and TACO's
    one-element list around the result is accepted.
    """
    rule = rule or MatchRule(comparison=Comparison.VALUE)
    if _values_equal(expected, result, rule):
        return True
    return isinstance(expected, list) and len(expected) == 1 and _values_equal(expected[0], result, rule)


def _items(text: bytes) -> int:
    """Return about how many values a line of tagged JSON holds; a short one counts as none."""
    return text.count(b",") + text.count(b"[") + text.count(b"{") if len(text) > _MANY_ITEMS else 0


def _token_matches(expected: bytes, output: bytes, rule: MatchRule) -> bool:
    if expected == output:
        return True
    if _INTEGER.fullmatch(expected):
        if _plain_integer(expected) == _plain_integer(output):
            return True
        return rule.any_number and _numbers_close(expected, output, rule.tolerance)
    if _NUMBER.fullmatch(expected):
        return _numbers_close(expected, output, rule.tolerance)
    return rule.ignore_case and _folded(expected) == _folded(output)


def _plain_integer(token: bytes) -> bytes:
    if _INTEGER.fullmatch(token) is None:
        return token
    token = token.removeprefix(b"+")
    return b"0" if token == b"-0" else token


def _numbers_close(expected: bytes, output: bytes, tolerance: float) -> bool:
    if not _NUMBER.fullmatch(output) or max(len(expected), len(output)) > _LONGEST_NUMBER:
        return False
    wanted, given = float(expected), float(output)
    return math.isfinite(wanted) and math.isfinite(given) and _floats_close(wanted, given, tolerance)


def _floats_close(expected: float, output: float, tolerance: float) -> bool:
    return abs(expected - output) <= tolerance * max(1.0, abs(expected))


def _folded(token: bytes) -> str:
    return token.decode("utf-8", "surrogateescape").casefold()


def _deepmind_token_matches(expected: bytes, output: bytes) -> bool:
    if expected.lower() == output.lower():
        return True
    if _NUMBER.fullmatch(expected) and _NUMBER.fullmatch(output):
        return abs(float(expected) - float(output)) < DEEPMIND_TOLERANCE
    return False


def _values_equal(expected: Any, result: Any, rule: MatchRule) -> bool:
    if isinstance(expected, list | tuple) and isinstance(result, list | tuple):
        return len(expected) == len(result) and all(
            _values_equal(want, give, rule) for want, give in zip(expected, result, strict=True)
        )
    if isinstance(expected, dict) and isinstance(result, dict):
        return _dicts_equal(expected, result, rule)
    if isinstance(expected, str) and isinstance(result, str):
        return expected == result or (rule.ignore_case and expected.casefold() == result.casefold())
    if isinstance(expected, float) and isinstance(result, int | float) and not isinstance(result, bool):
        return _number_values_close(expected, result, rule.tolerance)
    if rule.any_number and isinstance(expected, int) and isinstance(result, float):
        return _number_values_close(expected, result, rule.tolerance)
    return bool(expected == result)


def _number_values_close(expected: float, result: float, tolerance: float) -> bool:
    try:
        wanted, given = float(expected), float(result)
        if not (math.isfinite(wanted) and math.isfinite(given)):
            return wanted == given
        return _floats_close(wanted, given, tolerance)
    except OverflowError:
        return False


def _dicts_equal(expected: dict[Any, Any], result: dict[Any, Any], rule: MatchRule) -> bool:
    if len(expected) != len(result):
        return False
    longest = max((len(key) for key in expected if isinstance(key, str)), default=0)
    by_text = {_key_text(key): item for key, item in result.items() if _is_short_key(key, longest)}
    for key, want in expected.items():  # JSON turned every key of an expected dict into text
        if key not in result and key not in by_text:
            return False
        if not _values_equal(want, result[key] if key in result else by_text[key], rule):
            return False
    return True


def _is_short_key(key: object, longest: int) -> bool:
    """Whether the key may be ``longest`` characters of text: a longer integer would take minutes to be written."""
    return isinstance(key, int | float | str) and not (isinstance(key, int) and key.bit_length() > 4 * longest)


def _key_text(key: int | float | str) -> str:
    return format_integer(key) if isinstance(key, int) else str(key)
