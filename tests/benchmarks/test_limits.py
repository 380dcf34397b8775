"""Limits are read in every form that data sets write, and refused in every other."""

import json
from typing import Any

import pytest

from turnwise.benchmarks.limits import OUTPUT_LIMIT_BYTES, Limits, parse_memory_limit, parse_time_limit

HUGE = 10**20_000


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        (0, None),
        (0.0, None),
        ("", None),
        ("  ", None),
        ("0 seconds", None),
        ({}, None),
        ({"seconds": 0, "nanos": 0}, None),
        ({"seconds": None, "nanos": None}, None),
        (2, 2.0),
        (0.5, 0.5),
        ({"seconds": 1, "nanos": 500_000_000}, 1.5),
        ({"seconds": 0, "nanos": 500_000_000}, 0.5),
        ({"seconds": 4}, 4.0),
        ("2.0 seconds", 2.0),
        ("1 second", 1.0),
        ("1.5 sec", 1.5),
        ("3 s", 3.0),
        ("2S", 2.0),
        ("500 ms", 0.5),
        ("250 milliseconds", 0.25),
        ("2 minutes", 120.0),
        (" 10 ", 10.0),
    ],
)
def test_a_time_limit_is_read(value: Any, seconds: float | None) -> None:
    assert parse_time_limit(value) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (None, None),
        (0, None),
        ("", None),
        ("0 megabytes", None),
        (256_000_000, 256_000_000),
        (2.5e8, 250_000_000),
        ("256.0 megabytes", 256_000_000),
        ("1 megabyte", 1_000_000),
        ("64 MB", 64_000_000),
        ("1.5 gigabytes", 1_500_000_000),
        ("512 kilobytes", 512_000),
        ("100 bytes", 100),
        ("256 MiB", 256 * 2**20),
        ("1 gibibyte", 2**30),
        ("65536 KiB", 2**26),
    ],
)
def test_a_memory_limit_is_read(value: Any, size: int | None) -> None:
    assert parse_memory_limit(value) == size


_BAD = (-1, -0.5, True, float("nan"), float("inf"), [2], (), b"2", "fast", "-1 s", "2 seconds long", "1e3", "٢ s")


@pytest.mark.parametrize(
    "value", [*_BAD, HUGE, -HUGE, "9" * 400, "2 parsecs"], ids=lambda value: f"{type(value).__name__}"
)
def test_what_is_no_quantity_is_a_value_error(value: Any) -> None:
    for parse in (parse_time_limit, parse_memory_limit):
        with pytest.raises(ValueError, match="limit"):
            parse(value)


@pytest.mark.parametrize(
    "value",
    [
        {"seconds": "2"},
        {"seconds": True},
        {"seconds": -2, "nanos": 5},
        {"seconds": float("nan")},
        {"seconds": HUGE},
        {"nanos": HUGE},
        {"seconds": 1, "minutes": 2},
    ],
    ids=lambda value: "_".join(value),
)
def test_an_object_that_is_no_duration_is_a_value_error(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="time limit"):
        parse_time_limit(value)


def test_the_units_of_one_kind_are_not_those_of_the_other() -> None:
    for parse, value in ((parse_time_limit, "2 MB"), (parse_memory_limit, "2 seconds")):
        with pytest.raises(ValueError, match="is not a quantity"):
            parse(value)


@pytest.mark.parametrize(("seconds", "idle", "wall"), [(0.5, 2.0, 25.0), (1.0, 2.0, 30.0), (10.0, 20.0, 120.0)])
def test_the_idle_and_wall_limits_follow_from_the_time_limit(seconds: float, idle: float, wall: float) -> None:
    limits = Limits(seconds)
    assert (limits.idle_limit_seconds, limits.wall_limit_seconds) == (idle, wall)


def test_scaling_changes_the_time_limit_alone() -> None:
    assert Limits(2.0, 5, 7).scaled(1.5) == Limits(3.0, 5, 7)


def test_limits_written_before_outputs_were_limited_are_read() -> None:
    assert Limits.from_json(json.loads('{"time_limit_seconds": 2, "memory_limit_bytes": 3}')) == Limits(
        2.0, 3, OUTPUT_LIMIT_BYTES
    )
