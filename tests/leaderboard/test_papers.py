"""The papers' resampling: equal in law to drawing dialogues one by one, with the values and the bias they have."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.leaderboard.estimators import Counts, pass_n_at_k, value_of
from turnwise.leaderboard.papers import resample_draws, resample_results, with_replacement

rows = st.lists(st.sampled_from([(False, False), (False, True), (True, True)]), min_size=1, max_size=4)


def _counts(samples: int, public: list[int], right: list[int]) -> Counts:
    return Counts(np.full(len(right), samples), np.array(public), np.array(right))


@settings(max_examples=80, deadline=None)
@given(rows, st.integers(1, 4), st.data())
def test_with_replacement_is_the_mean_over_all_sequences(
    samples: list[tuple[bool, bool]], drawn: int, data: st.DataObject
) -> None:
    """Of every sequence of draws, the first n that pass the public tests are submitted."""
    n = data.draw(st.integers(1, drawn))
    draws = list(product(samples, repeat=drawn))
    expected = sum(any([passed for passed, public in draw if public][:n]) for draw in draws) / len(draws)
    passed, public = (sum(row[part] for row in samples) for part in (0, 1))
    counts = _counts(len(samples), [public], [passed])
    assert with_replacement(counts, n=n, drawn=drawn)[0] == pytest.approx(expected, abs=1e-12)


def test_one_right_of_200_is_the_papers_closed_case() -> None:
    """(K, e, s, n, k) = (200, 1, 1, 100, 100) is 0.5 without replacement and 0.3942 with it."""
    counts = _counts(200, [1], [1])
    right = np.zeros((1, 200), dtype=bool)
    right[0, 0] = True
    assert pass_n_at_k(right, right, n=100, k=100)[0] == pytest.approx(0.5, abs=1e-12)
    assert value_of(counts, n=100, drawn=100)[0] == pytest.approx(0.5, abs=1e-12)
    assert with_replacement(counts, n=100, drawn=100)[0] == pytest.approx(1 - (199 / 200) ** 100, abs=1e-12)
    assert with_replacement(counts, n=100, drawn=100)[0] == pytest.approx(0.3942, abs=5e-5)
    generator = np.random.default_rng(0)
    for replacement, mean in ((False, 0.5), (True, 0.3942)):
        found = resample_draws(counts, n=100, drawn=100, replacement=replacement, generator=generator)
        assert found.mean == pytest.approx(mean, abs=0.02)


def test_large_draws_keep_their_precision() -> None:
    """2,000 of 5,000 with replacement, half of them eligible: one submission is right as often as the eligible are."""
    counts = _counts(5_000, [2_500, 5_000, 0], [50, 100, 0])
    assert with_replacement(counts, n=1, drawn=2_000) == pytest.approx([0.02, 0.02, 0.0], rel=1e-9)


@pytest.mark.parametrize("replacement", [False, True])
def test_resamples_have_the_law_of_draws_one_by_one(replacement: bool) -> None:
    """Mean and standard deviation of 2,000 resamples of 20 problems, drawn dialogue by dialogue."""
    generator = np.random.default_rng(1)
    public = generator.integers(0, 31, size=20)
    right = generator.integers(0, public + 1)
    looped = []
    for _ in range(2_000):
        solved = 0
        for eligible, good in zip(public, right, strict=True):
            drawn = generator.choice(30, size=6, replace=replacement)
            solved += bool((drawn[drawn < eligible][:2] < good).any())
        looped.append(solved / 20)
    counts = _counts(30, list(public), list(right))
    found = resample_draws(counts, n=2, drawn=6, replacement=replacement, generator=generator)
    assert found.mean == pytest.approx(np.mean(looped), abs=0.01)
    ends = np.quantile(looped, [0.025, 0.975])
    assert (found.interval.lower, found.interval.upper) == pytest.approx(tuple(ends), abs=0.051)  # one problem


def test_resampled_results_have_the_law_of_drawing_all_results_anew() -> None:
    """Mean and ends of 2,000 resamples of K results, one of them at a time, for two metrics at once."""
    generator = np.random.default_rng(2)
    public = np.array([0, 4, 10, 20, 20])
    right = np.array([0, 1, 5, 20, 7])
    looped: list[list[float]] = [[], []]
    for _ in range(2_000):
        drawn = generator.integers(20, size=(5, 20))
        passed, eligible = drawn < right[:, None], drawn < public[:, None]
        looped[0].append(pass_n_at_k(passed, eligible, n=1, k=3).mean())
        looped[1].append(pass_n_at_k(passed, eligible, n=10, k=10).mean())
    counts = _counts(20, list(public), list(right))
    found = resample_results(counts, metrics=[(1, 3), (None, 10)], generator=generator, resamples=5_000)
    for one, values in zip(found, looped, strict=True):
        assert one.mean == pytest.approx(np.mean(values), abs=0.005)
        ends = np.quantile(values, [0.025, 0.975])
        assert (one.interval.lower, one.interval.upper) == pytest.approx(tuple(ends), abs=0.02)


def test_with_replacement_is_biased_low_at_large_k() -> None:
    """100@100 of a benchmark at 0.84: the exact value lies above the whole interval of the resampled results."""
    generator = np.random.default_rng(3)
    right = generator.binomial(200, generator.beta(0.25, 1.5, size=165))
    counts = _counts(200, list(right), list(right))
    exact = float(value_of(counts, n=None, drawn=100).mean())
    (rlef,) = resample_results(counts, metrics=[(100, 100)], generator=generator)
    draws = resample_draws(counts, n=100, drawn=100, replacement=True, generator=generator)
    assert rlef.interval.upper < exact
    assert draws.mean < exact - 0.01
    assert with_replacement(counts, n=None, drawn=100).mean() == pytest.approx(draws.mean, abs=0.001)


def test_the_methods_carry_the_names_of_their_papers() -> None:
    """What is printed beside them says that they are not ours."""
    counts, generator = _counts(4, [2], [1]), np.random.default_rng(0)
    assert [
        resample_draws(counts, n=None, drawn=2, generator=generator).interval.method,
        resample_draws(counts, n=None, drawn=2, generator=generator, replacement=True).interval.method,
        resample_results(counts, metrics=[(None, 2)], generator=generator)[0].interval.method,
    ] == [
        "10,000 resamples without replacement, as in 2410.08105",
        "10,000 resamples with replacement, as in 2410.08105",
        "200 resamples of results, as in RLEF",
    ]
