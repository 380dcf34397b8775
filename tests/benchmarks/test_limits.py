"""Limits are read in every form that data sets write, and refused in every other."""

from typing import Any

import pytest

from turnwise.benchmarks.limits import parse_memory_limit, parse_time_limit
from turnwise.records.problem import Limits

NAN, INF, HUGE = float("nan"), float("inf"), 10**20_000


@pytest.mark.parametrize(
    ("seconds", "forms"),
    [
        (None, (None, 0, 0.0, "", "  ", "0 seconds", {}, {"seconds": 0, "nanos": 0}, {"seconds": None})),
        (2.0, (2, 2.0, "2", " 2.0 ", "2.0 seconds", "2 sec", "2s", "2S", {"seconds": 2}, {"seconds": 2, "nanos": 0})),
        (1.0, ("1 second", "1.0 seconds", "1000 ms", "1000 milliseconds")),
        (1.5, (1.5, "1.5 seconds", {"seconds": 1, "nanos": 500_000_000})),
        (0.5, (0.5, "500 ms", {"nanos": 500_000_000}, {"seconds": 0, "nanos": 500_000_000})),
        (120.0, ("2 minutes", "120 seconds")),
    ],
)
def test_a_time_limit_is_read_in_every_form(seconds: float | None, forms: tuple[Any, ...]) -> None:
    assert [parse_time_limit(form) for form in forms] == [pytest.approx(seconds)] * len(forms)


@pytest.mark.parametrize(
    ("size", "forms"),
    [
        (None, (None, 0, "", "0 megabytes")),
        (256_000_000, (256_000_000, 2.56e8, "256.0 megabytes", "256 MB", "256megabytes", "0.256 gigabytes")),
        (1_000_000, ("1 megabyte", "1000 kilobytes", "1000000 bytes", "1000000")),
        (2**28, (2**28, "256 MiB", "256 mebibytes", "0.25 GiB", "262144 KiB")),
    ],
)
def test_a_memory_limit_is_read_in_every_form(size: int | None, forms: tuple[Any, ...]) -> None:
    assert [parse_memory_limit(form) for form in forms] == [size] * len(forms)


_NO_QUANTITIES = (-1, -0.5, True, NAN, INF, [2], (), b"2", "fast", "-1 s", "2 s long", "1e3", "\u0662 s", "2 parsecs")


@pytest.mark.parametrize("value", [*_NO_QUANTITIES, "9" * 400, HUGE, -HUGE], ids=lambda value: type(value).__name__)
def test_what_is_no_quantity_is_a_value_error(value: Any) -> None:
    for parse in (parse_time_limit, parse_memory_limit):
        with pytest.raises(ValueError, match="limit"):
            parse(value)


_NO_DURATIONS = (
    *({"seconds": "2"}, {"seconds": True}, {"seconds": -2, "nanos": 5}, {"seconds": NAN}, {"seconds": [2]}),
    *({"seconds": HUGE}, {"nanos": HUGE}, {"seconds": 1, "minutes": 2}, "2 MB"),
)


@pytest.mark.parametrize("value", _NO_DURATIONS, ids="_".join)
def test_what_is_no_duration_is_a_value_error(value: Any) -> None:
    with pytest.raises(ValueError, match="time limit"):
        parse_time_limit(value)


@pytest.mark.parametrize("value", [{"seconds": 2}, "2 seconds", "2 ms"])
def test_what_is_no_size_is_a_value_error(value: Any) -> None:
    with pytest.raises(ValueError, match="memory limit"):
        parse_memory_limit(value)


@pytest.mark.parametrize(("seconds", "idle", "wall"), [(0.5, 2.0, 25.0), (1.0, 2.0, 30.0), (10.0, 20.0, 120.0)])
def test_idle_and_wall_limits_follow_the_time_limit(seconds: float, idle: float, wall: float) -> None:
    limits = Limits(2 * seconds, 5, 7).scaled(0.5)
    assert limits == Limits(seconds, 5, 7)
    assert (limits.idle_limit_seconds, limits.wall_limit_seconds) == (idle, wall)
