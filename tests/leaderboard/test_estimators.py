"""The estimators equal enumeration over all draws, and refuse what they cannot estimate."""

from collections.abc import Callable
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.leaderboard.estimators import pass_at_k, pass_n_at_k

Samples = list[tuple[bool, bool]]
samples = st.lists(st.sampled_from([(False, False), (False, True), (True, True)]), min_size=1, max_size=6)


def _arrays(rows: Samples) -> tuple[np.ndarray, np.ndarray]:
    return np.array([[passed for passed, _ in rows]]), np.array([[public for _, public in rows]])


def _enumerate_pass_at_k(rows: Samples, k: int) -> float:
    draws = list(combinations(rows, k))
    return sum(any(passed for passed, _ in draw) for draw in draws) / len(draws)


def _enumerate_n_at_k(rows: Samples, n: int, drawn: int) -> float:
    total, count = 0.0, 0
    for draw in combinations(rows, drawn):
        eligible = [passed for passed, public in draw if public]
        orders = list(permutations(eligible))
        total += sum(any(order[:n]) for order in orders) / len(orders)
        count += 1
    return total / count


@settings(max_examples=150, deadline=None)
@given(samples, st.data())
def test_pass_at_k_is_the_mean_over_all_draws(rows: Samples, data: st.DataObject) -> None:
    """Of k samples without replacement, at least one is right."""
    k = data.draw(st.integers(1, len(rows)))
    assert pass_at_k(_arrays(rows)[0], k=k)[0] == pytest.approx(_enumerate_pass_at_k(rows, k), abs=1e-12)


@settings(max_examples=150, deadline=None)
@given(samples, st.integers(1, 4), st.data())
def test_n_at_k_is_the_mean_over_all_draws_and_choices(rows: Samples, turns: int, data: st.DataObject) -> None:
    """Of k // turns dialogues, n random ones among those passing the public tests hold a right one."""
    drawn = data.draw(st.integers(1, len(rows)))
    n = data.draw(st.integers(1, drawn))
    k = drawn * turns + data.draw(st.integers(0, turns - 1))
    passed, public = _arrays(rows)
    value = pass_n_at_k(passed, public, n=n, k=k, turns=turns)[0]
    assert value == pytest.approx(_enumerate_n_at_k(rows, n, drawn), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(samples, st.data())
def test_n_equal_k_is_pass_at_k(rows: Samples, data: st.DataObject) -> None:
    """Submitting all is choosing nothing."""
    k = data.draw(st.integers(1, len(rows)))
    passed, public = _arrays(rows)
    assert pass_n_at_k(passed, public, n=k, k=k)[0] == pytest.approx(pass_at_k(passed, k=k)[0], abs=1e-12)


def test_problems_are_estimated_side_by_side() -> None:
    """One value per problem, in order; none right is 0 and all right is 1, exactly."""
    passed = np.zeros((3, 200), dtype=bool)
    passed[1, :1] = True
    passed[2] = True
    assert pass_at_k(passed, k=100) == pytest.approx([0.0, 0.5, 1.0], abs=1e-12)
    assert pass_n_at_k(passed, passed, n=100, k=300, turns=3) == pytest.approx([0.0, 0.5, 1.0], abs=1e-12)


def test_a_problem_never_solved_is_a_plain_zero() -> None:
    """Tables and JSON would show -0.0 as it is."""
    assert not np.signbit(pass_at_k(np.zeros((3, 4), dtype=bool), k=2)).any()


def test_large_counts_keep_their_precision() -> None:
    """10 of 10,000 samples, k = 5,000: against exact rationals."""
    from fractions import Fraction
    from math import comb

    passed = np.zeros((1, 10_000), dtype=bool)
    passed[0, :10] = True
    exact = 1 - Fraction(comb(9_990, 5_000), comb(10_000, 5_000))
    assert pass_at_k(passed, k=5_000)[0] == pytest.approx(float(exact), rel=1e-9)


ONE = np.ones((1, 4), dtype=bool)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pass_at_k(ONE, k=5), "K=4 samples are too few for k = 5"),
        (lambda: pass_at_k(ONE, k=0), "k must be at least 1, got 0"),
        (lambda: pass_at_k(np.ones(4, dtype=bool), k=1), r"\[problem, sample\]"),
        (lambda: pass_n_at_k(ONE, ONE, n=1, k=15, turns=3), "K=4 samples are too few for k // turns = 15 // 3"),
        (lambda: pass_n_at_k(ONE, ONE, n=2, k=3, turns=3), "n=2 submissions need 1 <= n <= 1"),
        (lambda: pass_n_at_k(ONE, ONE, n=0, k=3), "n=0"),
        (lambda: pass_n_at_k(ONE, ONE, n=1, k=2, turns=3), "make no dialogue"),
        (lambda: pass_n_at_k(ONE, ~ONE, n=1, k=1), "must have passed the public tests"),
        (lambda: pass_n_at_k(ONE, np.ones((2, 4), dtype=bool), n=1, k=1), "shape"),
    ],
)
def test_impossible_questions_are_refused(call: Callable[[], object], message: str) -> None:
    """Both numbers stand in the error; there is never a 0 or 1 instead."""
    with pytest.raises(ValueError, match=message):
        call()
