"""Rank intervals: Holm's correction, places of clear and of unclear orders, and how often a claim is false."""

import numpy as np
import pytest

from turnwise.leaderboard.comparison import Rank, flip_pairs, holm, rank_models
from turnwise.leaderboard.estimators import Floats


def _rank(values: Floats, generator: np.random.Generator, clusters: list[str] | None = None) -> list[Rank]:
    return rank_models(values, flip_pairs(values, generator=generator, clusters=clusters))


def test_holm_multiplies_by_the_number_of_claims_left() -> None:
    """The textbook's example; adjusted values never fall below an earlier one, and stop at 1."""
    found = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert found == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.6, 0.7])) == pytest.approx([1.0, 1.0])


def test_a_clear_order_has_one_place_for_each() -> None:
    """Three models that differ on most of 100 problems."""
    values = np.array([[0.2] * 100, [0.9] * 100, [0.5] * 100]) + np.random.default_rng(0).normal(0, 0.05, (3, 100))
    ranks = _rank(values, np.random.default_rng(1))
    assert [(rank.best, rank.worst) for rank in ranks] == [(3, 3), (1, 1), (2, 2)]
    assert [rank.value for rank in ranks] == pytest.approx(list(values.mean(axis=1)))


def test_models_that_cannot_be_told_apart_share_their_places() -> None:
    """Two equal ones above a third: both can be first or second."""
    generator = np.random.default_rng(2)
    high = 0.8 + generator.normal(0, 0.1, (2, 60))
    low = 0.3 + generator.normal(0, 0.1, (1, 60))
    ranks = _rank(np.concatenate([high, low]), generator)
    assert [(rank.best, rank.worst) for rank in ranks] == [(1, 2), (1, 2), (3, 3)]


def test_too_few_problems_tell_nothing_apart() -> None:
    """Four problems cannot give p below 1/8, however large the difference."""
    ranks = _rank(np.array([[1.0] * 4, [0.0] * 4]), np.random.default_rng(0))
    assert [(rank.best, rank.worst) for rank in ranks] == [(1, 2), (1, 2)]


def test_one_model_is_first() -> None:
    """Nothing to compare it with."""
    assert _rank(np.array([[0.5, 1.0]]), np.random.default_rng(0)) == [Rank(0.75, 1, 1)]


def test_many_models_can_still_be_told_apart() -> None:
    """With 190 pairs the correction needs p below 0.00027, which the draws must be able to give."""
    values = np.linspace(0.05, 0.95, 20)[:, None] + np.random.default_rng(3).normal(0, 0.02, (20, 50))
    ranks = _rank(values, np.random.default_rng(4))
    assert [rank.best for rank in ranks] == list(range(20, 0, -1))


def test_a_false_claim_anywhere_is_rare() -> None:
    """Five equal models, 100 times: a table with any claim in at most 12 (5 % and three standard errors)."""
    generator = np.random.default_rng(5)
    claims = 0
    for _ in range(100):
        values = generator.binomial(5, generator.beta(0.5, 0.5, size=30), size=(5, 30)) / 5
        claims += any(rank.best > 1 for rank in _rank(values, generator))
    assert claims <= 12


def test_whole_contests_are_exchanged() -> None:
    """Twelve problems that one model solves: enough for a claim each by itself, not as copies in three contests."""
    values = np.array([[1.0] * 12, [0.0] * 12])
    contests = [f"c{number // 4}" for number in range(12)]
    apart, together = (_rank(values, np.random.default_rng(0), clusters) for clusters in (None, contests))
    assert [(rank.best, rank.worst) for rank in apart] == [(1, 1), (2, 2)]
    assert [(rank.best, rank.worst) for rank in together] == [(1, 2), (1, 2)]
