"""Permutation tests: equal to enumeration, uniform under no difference, and right about what they exchange."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.leaderboard.comparison import deal_samples, flip_problems
from turnwise.leaderboard.estimators import Counts, count, value_of


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=8))
def test_flipping_problems_is_all_sign_patterns(quarters: list[int]) -> None:
    """The share of patterns whose sum is at least as large, either way."""
    differences = np.array(quarters) / 4
    sums = [abs(sum(signs * differences)) for signs in product([-1, 1], repeat=len(differences))]
    expected = np.mean([one >= abs(differences.sum()) - 1e-9 for one in sums])
    found = flip_problems(differences[:, None], generator=np.random.default_rng(0))
    assert found[0] == pytest.approx(expected)


def test_many_problems_are_flipped_at_random() -> None:
    """20 problems, against all of the million patterns, within the error of the draws."""
    differences = np.random.default_rng(0).normal(0.2, 0.5, size=20)
    signs = np.array(list(product([-1, 1], repeat=10)))
    halves = [signs @ differences[:10], signs @ differences[10:]]
    exact = np.mean(np.abs(halves[0][:, None] + halves[1][None, :]) >= abs(differences.sum()))
    found = flip_problems(differences[:, None], generator=np.random.default_rng(1), draws=40_000)[0]
    assert found == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 40_000))


def test_no_p_value_of_random_draws_is_zero() -> None:
    """What was seen counts as one of the draws, which no number of draws can rule out; flipped or dealt."""
    generator = np.random.default_rng(0)
    flipped = flip_problems(np.ones((60, 1)), generator=generator, draws=99)[0]
    none, all_ = (Counts(np.full(60, 9), np.full(60, right), np.full(60, right)) for right in (0, 9))
    dealt = deal_samples(none, all_, n=None, drawn=1, generator=generator, draws=99)
    assert (flipped, dealt) == (1 / 100, 1 / 100)


def test_equal_runs_have_a_p_value_of_1() -> None:
    """No problem differs: no pattern does better or worse."""
    assert flip_problems(np.zeros((30, 2)), generator=np.random.default_rng(0)) == pytest.approx([1.0, 1.0])


def test_contests_are_flipped_whole() -> None:
    """Eight differences in two contests make four patterns: p cannot be below one half."""
    differences = np.ones((8, 1))
    alone = flip_problems(differences, generator=np.random.default_rng(0))[0]
    together = flip_problems(differences, generator=np.random.default_rng(0), clusters=list("aaaabbbb"))[0]
    assert (alone, together) == (2 / 256, 0.5)


def _enumerate_deals(first: np.ndarray, second: np.ndarray, n: int | None, drawn: int) -> float:
    """Return the share of all ways to deal one problem's samples, rows (passed, public), with as large a difference."""

    def value(rows: np.ndarray) -> float:
        return float(value_of(count(rows[None, :, 0], rows[None, :, 1]), n=n, drawn=drawn)[0])

    pool = np.concatenate([first, second])
    observed, found = abs(value(second) - value(first)), []
    for hand in combinations(range(len(pool)), len(first)):
        rest = [one for one in range(len(pool)) if one not in hand]
        found.append(abs(value(pool[rest]) - value(pool[list(hand)])) >= observed - 1e-9)
    return float(np.mean(found))


@pytest.mark.parametrize(("n", "drawn"), [(None, 1), (None, 2), (1, 2)])
def test_dealing_samples_is_all_ways_to_deal_them(n: int | None, drawn: int) -> None:
    """One problem with four samples in one run and three in the other, within the error of the draws."""
    first = np.array([[False, True], [False, False], [False, True], [False, False]])
    second = np.array([[True, True], [True, True], [False, True]])
    counts = [count(rows[None, :, 0], rows[None, :, 1]) for rows in (first, second)]
    exact = _enumerate_deals(first, second, n, drawn)
    found = deal_samples(*counts, n=n, drawn=drawn, generator=np.random.default_rng(0), draws=20_000)
    assert 0.05 < exact < 0.95
    assert found == pytest.approx(exact, abs=0.02)


def test_with_one_sample_each_dealing_is_flipping() -> None:
    """Where a run has one sample per problem, both tests exchange the same things."""
    generator = np.random.default_rng(4)
    right = generator.integers(2, size=(2, 60))
    first, second = (Counts(np.ones(60, dtype=np.int64), row, row) for row in right)
    dealt = deal_samples(first, second, n=None, drawn=1, generator=generator)
    flipped = flip_problems((right[1] - right[0])[:, None].astype(float), generator=generator)[0]
    assert dealt == pytest.approx(flipped, abs=0.02)


def test_without_a_difference_5_percent_of_the_p_values_are_below_5_percent() -> None:
    """Two runs of one model, 400 times: both tests reject in 2 to 8 %."""
    generator = np.random.default_rng(5)
    rejected = np.zeros(2)
    for _ in range(400):
        solved = generator.beta(0.5, 1.0, size=40)
        first, second = (Counts(np.full(40, 8), right, right) for right in generator.binomial(8, solved, size=(2, 40)))
        differences = (second.right - first.right)[:, None] / 8
        rejected[0] += flip_problems(differences, generator=generator, draws=400)[0] <= 0.05
        rejected[1] += deal_samples(first, second, n=None, drawn=1, generator=generator, draws=400) <= 0.05
    assert np.all((rejected / 400 >= 0.02) & (rejected / 400 <= 0.08)), rejected / 400
