"""When evalplus accepts a result of HumanEval+ or MBPP+: its comparison rules as data and small functions.

The rules are those of evalplus 0.3.1 (github.com/evalplus/evalplus, Apache-2.0), written anew: Python
equality first (a list is no tuple), then closeness of numbers of the same type, absolute tolerance as
the task says (1e-6 where floats are expected and it says 0) and relative tolerance 1e-7; and the special
tasks below. One difference on purpose: HumanEval/32 (find_zero) is judged by its polynomial, which
evalplus 0.3.1 intends too but always fails. A result is hostile and is read as matching.py says.
"""

import cmath
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from turnwise.benchmarks.equality import PYTHON, Equality, same_from, same_set, same_value, type_of
from turnwise.benchmarks.results import Collection, MalformedResultError, Result, form_of
from turnwise.benchmarks.values import Opaque
from turnwise.records.problem import MatchRule

RELATIVE_TOLERANCE = 1e-7
FLOAT_TOLERANCE = 1e-6

NOT_NONE = "not_none"
ORACLE_BY_ENTRY_POINT = {
    "humaneval_plus": {"find_zero": "polynomial_root"},
    "mbpp_plus": {
        "are_equivalent": "anything",
        "sum_div": "or_zero",
        "surface_Area": "pyramid_surface",
        "digit_distance_nums": "digit_distance",
        "similar_elements": "same_set",
        "find_char_long": "same_set",
        "common_in_nested_lists": "same_set",
        "extract_singly": "same_set",
        "larg_nnum": "same_set",
        "intersection_array": "same_set",
        "find_dissimilar": "same_set",
        "Diff": "same_set",
        "check_str": NOT_NONE,
        "text_match_three": NOT_NONE,
        "text_starta_endb": NOT_NONE,
    },
}


def evalplus_accepts(expected: Any, result: Result, *, arguments: Sequence[object], rule: MatchRule) -> bool:
    """Return whether evalplus's rules accept ``result`` for ``arguments`` where ``expected`` is the canonical one.

    ``rule.tolerance`` is the task's atol and ``rule.oracle`` the name of its special case or "". Raises
    MalformedResultError for what is no value, BeyondLimitError for one beyond its limit.
    """
    tolerance = rule.tolerance
    if tolerance == 0 and _is_floats(expected):
        tolerance = FLOAT_TOLERANCE
    try:
        if rule.oracle == "anything":
            return True
        if rule.oracle == "same_set":
            return same_set({form_of(item) for item in expected}, result)
        if rule.oracle in _FINAL:
            return _ORACLES[rule.oracle](expected, result.value(), arguments, tolerance)
        if same_value(expected, result, PYTHON):
            return True
        if rule.oracle and _other_answer(expected, result, arguments, rule.oracle, tolerance):
            return True
        return tolerance != 0 and _is_close(expected, result, tolerance)
    except MalformedResultError:
        raise
    except (TypeError, ValueError, OverflowError, ZeroDivisionError, RecursionError):
        return False  # a result of a kind that cannot be compared is a wrong answer


def _other_answer(expected: object, result: Result, arguments: Sequence[object], oracle: str, tolerance: float) -> bool:
    result.restart()
    return _ORACLES[oracle](expected, result.value(), arguments, tolerance)


def _is_close(expected: object, result: Result, tolerance: float) -> bool:
    result.restart()
    value = result.value()
    how = Equality(partial(_close, tolerance=tolerance), sequences_alike=True, sequences_only=True)
    if type_of(value) is not type(expected) or not same_from(expected, value, result, how):
        return False
    result.finish()
    return True


def _is_floats(value: object) -> bool:
    if isinstance(value, list | tuple) and value:
        return all(isinstance(item, float) for item in value)
    return isinstance(value, float)


def _close(expected: object, result: object, tolerance: float) -> bool:
    if not (isinstance(expected, int | float | complex) and isinstance(result, int | float | complex)):
        return False
    if expected == result:
        return True
    return cmath.isfinite(expected) and abs(result - expected) <= tolerance + RELATIVE_TOLERANCE * abs(expected)


def _or_zero(expected: object, result: object, arguments: Sequence[object], tolerance: float) -> bool:
    return bool(result == 0)


def _not_none(expected: object, result: object, arguments: Sequence[object], tolerance: float) -> bool:
    if isinstance(result, bool):
        return bool(result == expected)
    return bool(expected == (result is not None))


def _pyramid_surface(expected: object, result: object, arguments: Sequence[Any], tolerance: float) -> bool:
    base, height = arguments
    slant = math.hypot(base / 2, height)
    alternative = round(base**2 + 2 * base * slant)
    return bool(abs(result - alternative) <= tolerance)


def _digit_distance(expected: object, result: object, arguments: Sequence[object], tolerance: float) -> bool:
    first, second = (str(number) for number in arguments)
    width = max(len(first), len(second))
    pairs = zip(first.zfill(width), second.zfill(width), strict=True)
    return bool(result == sum(abs(int(one) - int(two)) for one, two in pairs))


def _polynomial_root(expected: object, result: Any, arguments: Sequence[Any], tolerance: float) -> bool:
    if isinstance(result, Opaque | Collection):
        return False
    (coefficients,) = arguments
    return bool(abs(sum(factor * math.pow(result, power) for power, factor in enumerate(coefficients))) <= tolerance)


_Oracle = Callable[[object, object, Sequence[object], float], bool]
_ORACLES: dict[str, _Oracle] = {
    "or_zero": _or_zero,
    NOT_NONE: _not_none,
    "pyramid_surface": _pyramid_surface,
    "digit_distance": _digit_distance,
    "polynomial_root": _polynomial_root,
}
_FINAL = frozenset({NOT_NONE, "polynomial_root"})
