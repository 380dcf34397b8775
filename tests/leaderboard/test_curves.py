"""Curves equal their estimator point by point, and what cannot be estimated is NaN, never 0."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.leaderboard.estimators import (
    best_of_k,
    curve_over_k,
    curve_over_tokens,
    curve_over_turns,
    pass_at_k,
    pass_n_at_k,
)

WRONG, PUBLIC, RIGHT = (False, False), (False, True), (True, True)
Arrays = tuple[np.ndarray, np.ndarray]


@st.composite
def outcomes(draw: st.DrawFn, *shape: int) -> Arrays:
    """Draw (passed, public), bool of up to ``shape`` each."""
    size = tuple(draw(st.integers(1, most)) for most in shape)
    cells = [draw(st.sampled_from([WRONG, PUBLIC, RIGHT])) for _ in range(int(np.prod(size)))]
    both = np.array(cells, dtype=bool).reshape(*size, 2)
    return both[..., 0], both[..., 1]


@settings(max_examples=80, deadline=None)
@given(outcomes(3, 6))
def test_a_curve_over_k_is_the_estimator_at_each_k(arrays: Arrays) -> None:
    """pass@k from 1 to all samples, and NaN beyond."""
    samples = arrays[0].shape[1]
    curve = curve_over_k(arrays[0], ks=range(1, samples + 2))
    assert pytest.approx(np.array([pass_at_k(arrays[0], k=k) for k in range(1, samples + 1)])) == curve[:, :-1].T
    assert np.isnan(curve[:, -1]).all()


@settings(max_examples=80, deadline=None)
@given(outcomes(3, 6), st.integers(1, 3), st.integers(1, 3))
def test_an_n_at_k_curve_is_the_estimator_at_each_k(arrays: Arrays, n: int, turns: int) -> None:
    """With turns as well; NaN where the k replies make fewer dialogues than n, or more than there are."""
    samples = arrays[0].shape[1]
    curve = curve_over_k(*arrays, ks=range(1, 8), n=n, turns=turns)
    for k in range(1, 8):
        if n <= k // turns <= samples:
            assert curve[:, k - 1] == pytest.approx(pass_n_at_k(*arrays, n=n, k=k, turns=turns), abs=1e-12)
        else:
            assert np.isnan(curve[:, k - 1]).all()


@settings(max_examples=80, deadline=None)
@given(outcomes(2, 6, 3), st.integers(1, 2), st.integers(1, 6))
def test_a_curve_over_turns_has_k_replies_at_each_budget(arrays: Arrays, n: int, k: int) -> None:
    """Budget t is n@k of k // t dialogues cut after turn t."""
    passed, public = arrays
    curve = curve_over_turns(passed, public, n=n, k=k)
    assert curve.shape == (passed.shape[0], passed.shape[2])
    for t in range(1, passed.shape[2] + 1):
        if n <= k // t <= passed.shape[1]:
            expected = pass_n_at_k(passed[..., t - 1], public[..., t - 1], n=n, k=k, turns=t)
            assert curve[:, t - 1] == pytest.approx(expected, abs=1e-12)
        else:
            assert np.isnan(curve[:, t - 1]).all()


@settings(max_examples=80, deadline=None)
@given(outcomes(3, 6), st.data())
def test_the_best_of_k_is_right_as_often_as_the_share_of_right_among_eligible(
    arrays: Arrays, data: st.DataObject
) -> None:
    """With e of K eligible and s right: s / e, wherever one of the k is eligible at all."""
    passed, public = arrays
    k = data.draw(st.integers(1, passed.shape[1]))
    some_eligible = pass_at_k(public, k=k)
    share = passed.sum(axis=1) / np.maximum(public.sum(axis=1), 1)
    assert best_of_k(passed, public, k=k) == pytest.approx(share * some_eligible, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(outcomes(2, 6), st.data())
def test_a_missing_sample_is_as_if_it_had_not_been_asked_for(arrays: Arrays, data: st.DataObject) -> None:
    """Every estimator on the known samples alone; too few of them are NaN."""
    passed, public = arrays
    problems, samples = passed.shape
    known = np.array([[data.draw(st.booleans()) for _ in range(samples)] for _ in range(problems)])
    k = data.draw(st.integers(1, samples))
    n = data.draw(st.integers(1, k))
    found = np.stack(
        [
            pass_at_k(passed, k=k, known_P_K=known),
            pass_n_at_k(passed, public, n=n, k=k, known_P_K=known),
            best_of_k(passed, public, k=k, known_P_K=known),
            curve_over_k(passed, ks=[k], known_P_K=known)[:, 0],
            curve_over_turns(passed[..., None], public[..., None], n=n, k=k, known_P_K_T=known[..., None])[:, 0],
        ],
        axis=1,
    )
    for row in range(problems):
        right, eligible = passed[row : row + 1, known[row]], public[row : row + 1, known[row]]
        if right.shape[1] < k:
            assert np.isnan(found[row]).all()
            continue
        at_k, at_n = pass_at_k(right, k=k)[0], pass_n_at_k(right, eligible, n=n, k=k)[0]
        expected = [at_k, at_n, best_of_k(right, eligible, k=k)[0], at_k, at_n]
        assert found[row] == pytest.approx(np.array(expected), abs=1e-12)


def test_equal_tokens_are_dialogues_of_mean_length() -> None:
    """A problem whose dialogues take 100 tokens affords 2 for 200; one of 50 affords 4, of which n are submitted."""
    passed = np.array([[True, False, False, False]] * 2)
    public = np.array([[True, True, False, False]] * 2)
    tokens = np.array([[40, 160, 100, 100], [50] * 4])
    every = curve_over_tokens(passed, public, tokens, budgets=[0, 100, 200])
    assert every == pytest.approx(np.array([[0, 0.25, 0.5], [0, 0.5, 1.0]]))
    one = curve_over_tokens(passed, public, tokens, budgets=[100, 200], n=1)
    expected = [[0.25, pass_n_at_k(passed, public, n=1, k=2)[0]], [pass_n_at_k(passed, public, n=1, k=2)[0], 0.5]]
    assert one == pytest.approx(np.array(expected))


@settings(max_examples=60, deadline=None)
@given(outcomes(2, 5), st.integers(1, 3), st.floats(0, 6))
def test_a_broken_number_of_dialogues_lies_between_its_neighbours(arrays: Arrays, n: int, dialogues: float) -> None:
    """2.4 dialogues are two and, in 40 % of cases, a third; more than there are samples is NaN."""
    tokens = np.full(arrays[0].shape, 10)
    found = curve_over_tokens(*arrays, tokens, budgets=[10 * dialogues], n=n)[:, 0]
    whole = [np.zeros(len(arrays[0]))]
    for drawn in range(1, arrays[0].shape[1] + 1):
        whole.append(pass_n_at_k(*arrays, n=min(n, drawn), k=drawn))
    if 10 * dialogues / 10 > arrays[0].shape[1]:
        assert np.isnan(found).all()
        return
    expected = [np.interp(dialogues, range(len(whole)), column) for column in np.stack(whole, axis=1)]
    assert found == pytest.approx(np.array(expected), abs=1e-9)


def test_the_tokens_of_a_missing_dialogue_do_not_count() -> None:
    """Neither do its outcome; a problem of which nothing is known is NaN."""
    passed = np.array([[True, False, True], [False, True, True]])
    known = np.array([[True, True, False], [False, False, False]])
    tokens = np.array([[10, 30, 999], [1, 1, 1]])
    found = curve_over_tokens(passed, passed, tokens, budgets=[20, 40], known_P_K=known)
    assert found[0] == pytest.approx([0.5, 1.0])
    assert np.isnan(found[1]).all()


ONE = np.ones((1, 4), dtype=bool)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: curve_over_k(ONE, ks=[0]), r"every k of \[0\] must be at least 1"),
        (lambda: curve_over_k(ONE, ONE, ks=[1], n=0), "n=0"),
        (lambda: curve_over_k(ONE, ONE, ks=[1], n=1, turns=0), "turns=0"),
        (lambda: curve_over_k(ONE, ks=[1], n=1), "both n and the public outcomes"),
        (lambda: curve_over_k(ONE, ONE, ks=[1]), "both n and the public outcomes"),
        (lambda: curve_over_tokens(ONE, ONE, np.zeros((1, 4), dtype=int), budgets=[1]), "no tokens"),
        (lambda: pass_at_k(ONE, k=1, known_P_K=ONE[:, :2]), r"known has \(1, 2\)"),
        (lambda: pass_at_k(ONE, k=5, known_P_K=ONE), "K=4 samples are too few"),
    ],
)
def test_impossible_curves_are_refused(call: Callable[[], object], message: str) -> None:
    """With the value that is wrong."""
    with pytest.raises(ValueError, match=message):
        call()


def test_all_small_cases_agree_with_simulation() -> None:
    """n of k among K = 5 with e = 3 and s = 1, drawn 40,000 times."""
    generator = np.random.default_rng(5)
    passed = np.array([[True, False, False, False, False]])
    public = np.array([[True, True, True, False, False]])
    for n, k in product((1, 2), (2, 4)):
        order = generator.permuted(np.tile(np.arange(5), (40_000, 1)), axis=1)[:, :k]
        place = np.cumsum(public[0][order], axis=1)
        share = (passed[0][order] & (place <= n)).any(axis=1).mean()
        assert share == pytest.approx(pass_n_at_k(passed, public, n=n, k=k)[0], abs=0.01)
