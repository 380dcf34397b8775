"""Integers of any length are read and written, with the interpreter's digit limit left alone."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.benchmarks.integers import format_integer, parse_integer

# Around the interpreter's limit (4,300), the length of a piece (4,000), and where pieces are cut.
LENGTHS = (1, 3611, 3613, 3999, 4000, 4001, 4299, 4300, 4301, 7999, 8001, 20_000)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("sign", ["", "-"])
def test_powers_of_ten_and_their_neighbours_are_exact(length: int, sign: str) -> None:
    for text, value in (("1" + "0" * length, 10**length), ("9" * length, 10**length - 1)):
        number = -value if sign else value
        assert parse_integer(sign + text) == number
        assert format_integer(number) == sign + text


@given(st.integers(0, 40_000).flatmap(lambda bits: st.integers(-(2**bits), 2**bits)))
@settings(deadline=None)
def test_what_is_written_is_read_back(number: int) -> None:
    assert parse_integer(format_integer(number)) == number


@pytest.mark.parametrize(
    ("text", "value"), [("+5", "5"), ("-0", "0"), ("007", "7"), ("+" + "1" * 5000, "1" * 5000), ("0" * 5000, "0")]
)
def test_a_sign_and_leading_zeros_are_read(text: str, value: str) -> None:
    assert format_integer(parse_integer(text)) == value


@pytest.mark.parametrize(
    "text", ["", "+", "--5", "+-5", "5.0", "5e1", "0x5", "5_0", " 5", "5 ", "5\n", "\u06655", "\u00b25", "5a"]
)
def test_anything_else_is_a_value_error_short_or_long(text: str) -> None:
    for spelled in (text, text.replace("5", "5" * 5000)):
        with pytest.raises(ValueError):  # any message will do
            parse_integer(spelled)


def test_the_limit_of_the_interpreter_stays_as_it_is() -> None:
    before = sys.get_int_max_str_digits()
    parse_integer(format_integer(10**20_000))
    assert sys.get_int_max_str_digits() == before
