"""The noise report: equal to simulation before a run, to the counts after it, and what it promises is detected."""

from math import comb
from typing import Any

import numpy as np
import pytest

from turnwise.leaderboard.estimators import Counts, value_of
from turnwise.leaderboard.intervals import effective_number, jackknife, sample_variances, t_quantile
from turnwise.leaderboard.noise import Expected, expect_noise, measure_noise


def _simulate(generator: np.random.Generator, solved: np.ndarray, samples: int) -> Counts:
    right = generator.binomial(samples, solved)
    return Counts(np.full(len(solved), samples), right, right)


@pytest.mark.parametrize("drawn", [1, 5])
def test_expected_noise_is_that_of_simulated_runs(drawn: int) -> None:
    """Score and both standard errors of 3,000 benchmarks of 50 problems with 10 samples at a pass@1 of 0.3."""
    generator = np.random.default_rng(0)
    noise = expect_noise(Expected(0.3), problems=50, samples=10, drawn=drawn)
    solved = generator.beta(0.3, 0.7, size=(3_000, 50))
    means = [value_of(_simulate(generator, row, 10), n=None, drawn=drawn).mean() for row in solved]
    truths = (1 - (1 - solved) ** drawn).mean(axis=1)
    assert noise.over_samples is not None and noise.over_problems is not None
    assert noise.score == pytest.approx(np.mean(means), abs=0.005)
    assert noise.over_problems.standard_error == pytest.approx(np.std(means), rel=0.05)
    assert noise.over_samples.standard_error == pytest.approx(np.std(means - truths), rel=0.05)


@pytest.mark.parametrize(("n", "drawn", "samples"), [(1, 3, 10), (2, 5, 10), (3, 9, 12)])
def test_expected_noise_of_n_at_k_is_that_of_simulated_runs(n: int, drawn: int, samples: int) -> None:
    """A quarter of the wrong programs pass the public tests: score and both errors of 3,000 benchmarks, as pass@k."""
    generator = np.random.default_rng(0)
    noise = expect_noise(Expected(0.3, misled=0.25), problems=50, samples=samples, n=n, drawn=drawn)
    solved = generator.beta(0.3, 0.7, size=(3_000, 50))
    right = generator.binomial(samples, solved)
    public = right + generator.binomial(samples - right, 0.25)
    counts = Counts(np.full(right.size, samples), public.ravel(), right.ravel())
    means = value_of(counts, n=n, drawn=drawn).reshape(right.shape).mean(axis=1)
    passing = solved + (1 - solved) * 0.25
    found = [comb(drawn, one) * passing**one * (1 - passing) ** (drawn - one) for one in range(drawn + 1)]
    wrong = 0.25 * (1 - solved) / passing
    truths = sum(chance * (1 - wrong ** min(one, n)) for one, chance in enumerate(found)).mean(axis=1)
    assert noise.over_samples is not None and noise.over_problems is not None
    assert noise.score == pytest.approx(means.mean(), abs=0.005)
    assert noise.over_problems.standard_error == pytest.approx(means.std(), rel=0.05)
    assert noise.over_samples.standard_error == pytest.approx((means - truths).std(), rel=0.05)


@pytest.mark.parametrize("drawn", [1, 10])
def test_measured_noise_is_that_of_the_population(drawn: int) -> None:
    """A large run gives back what was expected of its distribution."""
    generator = np.random.default_rng(1)
    counts = _simulate(generator, generator.beta(0.3, 0.7, size=5_000), 40)
    measured = measure_noise(counts, n=None, drawn=drawn)
    expected = expect_noise(Expected(0.3), problems=5_000, samples=40, drawn=drawn)
    assert measured is not None and measured.over_samples is not None and measured.over_problems is not None
    assert expected.over_samples is not None and expected.over_problems is not None
    assert measured.over_samples.detectable == pytest.approx(expected.over_samples.detectable, rel=0.1)
    assert measured.over_problems.detectable == pytest.approx(expected.over_problems.detectable, rel=0.1)


def test_the_error_over_samples_is_that_of_the_interval() -> None:
    """So many of it reach as far as the interval as t says, of twice as many degrees as problems vary."""
    counts = _simulate(np.random.default_rng(2), np.linspace(0.1, 0.9, 30), 20)
    varying = effective_number(sample_variances(counts, n=1, drawn=4))
    noise, interval = measure_noise(counts, n=1, drawn=4), jackknife(counts, n=1, drawn=4)
    assert noise is not None and noise.over_samples is not None and interval is not None
    quantile = t_quantile(0.95, freedom=2 * varying)
    assert quantile * noise.over_samples.standard_error == pytest.approx((interval.upper - interval.lower) / 2)


def test_the_detectable_difference_is_found_in_80_percent_of_runs() -> None:
    """Two models that differ by it on the same problems: a test at 5 % finds it in 75 to 85 % of 2,000 pairs."""
    generator = np.random.default_rng(3)
    first = np.full(40, 0.4)
    noise = measure_noise(Counts(np.full(40, 25), np.full(40, 10), np.full(40, 10)), n=None, drawn=1)
    assert noise is not None and noise.over_samples is not None
    second = first + noise.over_samples.detectable
    difference = (generator.binomial(25, second, (2_000, 40)) - generator.binomial(25, first, (2_000, 40))) / 25
    error = np.sqrt((0.4 * 0.6 + second[0] * (1 - second[0])) / 25 / 40)
    found = np.mean(np.abs(difference.mean(axis=1)) > 1.959964 * error)
    assert 0.75 <= found <= 0.85


def test_the_detectable_difference_over_problems_is_that_of_models_alike() -> None:
    """Two models that find half of the problems equally hard, correlation 0.5: 2.80 errors of 3,000 differences."""
    generator = np.random.default_rng(4)
    noise = expect_noise(Expected(0.3), problems=50, samples=10, drawn=1)
    first, other = generator.beta(0.3, 0.7, size=(2, 3_000, 50))
    second = np.where(generator.random((3_000, 50)) < 0.5, first, other)
    difference = (generator.binomial(10, second) - generator.binomial(10, first)).mean(axis=1) / 10
    assert noise.over_problems is not None
    assert noise.over_problems.detectable == pytest.approx(2.8016 * difference.std(), rel=0.05)


def test_more_samples_help_over_samples_and_little_over_problems() -> None:
    """Ten times the samples: a third of the noise on these problems, most of it on others."""
    few, many = (expect_noise(Expected(0.4), problems=100, samples=samples, drawn=1) for samples in (10, 100))
    assert few.over_samples is not None and many.over_samples is not None
    assert few.over_problems is not None and many.over_problems is not None
    assert many.over_samples.detectable == pytest.approx(few.over_samples.detectable / np.sqrt(10), rel=1e-9)
    assert many.over_problems.detectable > 0.8 * few.over_problems.detectable


def test_a_draw_of_all_samples_has_noise_over_problems_only() -> None:
    """One sample each: the spread of the outcomes is all that is known, before a run and after it."""
    expected = expect_noise(Expected(0.5), problems=100, samples=1, drawn=1)
    right = np.arange(100) % 2
    measured = measure_noise(Counts(np.ones(100, dtype=np.int64), right, right), n=None, drawn=1)
    assert measured is not None
    for noise in (expected, measured):
        assert noise.over_samples is None and noise.over_problems is not None
        assert noise.over_problems.standard_error == pytest.approx(0.05, rel=0.01)
        assert noise.over_problems.detectable == pytest.approx(2.8016 * np.sqrt(2) * 0.05, rel=0.01)


def test_no_spread_is_no_promise() -> None:
    """A run that solved everything cannot say what it could detect, and one problem has no spread."""
    ones = np.full(10, 5)
    noise = measure_noise(Counts(ones, ones, ones), n=None, drawn=1)
    assert noise is not None
    assert (noise.score, noise.over_samples, noise.over_problems) == (1.0, None, None)
    assert measure_noise(Counts(ones[:1], ones[:1], ones[:1]), n=None, drawn=1) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"problems": 1}, "1 problems with 20 samples"),
        ({"drawn": 21}, "20 samples: at least 2, and 21 samples to draw"),
        ({"drawn": 0}, "0 samples to draw"),
        ({"score": 0.0}, "a score of 0"),
        ({"score": 1.5}, "a score of 1.5"),
        ({"misled": 1.5}, "a share of 1.5 of wrong programs"),
    ],
)
def test_a_run_that_cannot_be_is_refused(changes: dict[str, float], message: str) -> None:
    """With the value that is wrong."""
    given: dict[str, Any] = {"problems": 30, "samples": 20, "drawn": 1, "score": 0.5, "misled": 0.1} | changes
    expected = Expected(given.pop("score"), misled=given.pop("misled"))
    with pytest.raises(ValueError, match=message):
        expect_noise(expected, n=1, **given)
