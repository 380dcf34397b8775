"""Counts: how many samples of each problem are known, pass the public tests and are right, and what that is worth.

>>> counts = count(np.array([[True, False, False, False]]))
>>> value_of(counts, n=None, drawn=2)
array([0.5])

Every estimator here depends on a problem's samples through these three numbers only, so resampling draws
numbers, never arrays of samples, and finds the estimate in a table. With R dialogues drawn out of K without
replacement, e of the K passing the public tests and s of those right, n of those found being submitted:

    sum over e' of  C(e, e') C(K-e, R-e') / C(K, R)  *  [1 - C(e-s, m) / C(e, m)],   m = min(e', n)

Where all are submitted this is 1 - C(K-s, R) / C(K, R). Does not check what a user asked for: estimators do.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import factorial, lgamma, log

import numpy as np
import numpy.typing as npt

Booleans = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Counts:
    """int64[P] each: known samples, those of them that pass the public tests, those that are right."""

    samples: Integers
    public: Integers
    right: Integers

    def rows(self, chosen: Booleans | Integers) -> "Counts":
        """Return the counts of some of the problems."""
        return Counts(self.samples[chosen], self.public[chosen], self.right[chosen])

    def __len__(self) -> int:
        return len(self.samples)


def count(passed_P_K: Booleans, public_P_K: Booleans | None = None, *, known_P_K: Booleans | None = None) -> Counts:
    """Return the counts of bool[P, K] arrays; what is not ``known`` is left out, not wrong."""
    public = passed_P_K if public_P_K is None else public_P_K
    known = np.ones(passed_P_K.shape, dtype=bool) if known_P_K is None else known_P_K
    return Counts(known.sum(axis=1), (public & known).sum(axis=1), (passed_P_K & known).sum(axis=1))


def value_of(counts: Counts, *, n: int | None, drawn: int | Integers) -> Floats:
    """Return the chance that one of n submissions among ``drawn`` dialogues is right; n None submits all.

    float64[P], or float64[P, R] for ``drawn`` int64[R]; NaN where there are fewer samples than drawn, or fewer
    drawn than submitted.
    """
    draws = np.asarray(drawn)
    n = None if draws.ndim == 0 and draws == n else n  # submitting all is choosing nothing
    column = (slice(None), *([None] * draws.ndim))
    samples, public, right = counts.samples[column], counts.public[column], counts.right[column]
    possible = (samples >= draws) & (draws >= (n or 1))
    values: Floats = np.where(possible, _values(samples, public, right, n, np.minimum(draws, samples)), np.nan)
    return values


def value_table(samples: int, *, n: int | None, drawn: int) -> Floats:
    """Return the values of a problem with so many samples: float64[K + 1, K + 1] by [public, right]."""
    n = None if drawn == n else n
    number = np.arange(samples + 1)
    public, right = number[:, None], np.minimum(number[None, :], number[:, None])
    table: Floats = np.broadcast_to(
        _values(np.array(samples), public, right, n, np.array(drawn)), (samples + 1, samples + 1)
    )
    return table


def both_fail(counts: Counts, *, n: int | None, drawn: int) -> Floats:
    """Return the chance that two separate draws of ``drawn`` dialogues both fail: float64[P].

    Taken over all such pairs, it is what no estimate of one draw's chance squared is: unbiased. NaN where there are
    fewer than two draws' samples.
    """
    possible = counts.samples >= 2 * drawn
    values = np.full(len(counts), np.nan)
    values[possible] = _both_fail(counts.rows(possible), n, drawn)
    return values


def _both_fail(counts: Counts, n: int | None, drawn: int) -> Floats:
    samples, public, right = counts.samples, counts.public, counts.right
    if n is None or n >= drawn:
        chance: Floats = np.exp(log_choose(samples - right, 2 * drawn) - log_choose(samples, 2 * drawn))
        return chance
    all_wrong = np.ones((2 * n + 1, len(counts)))
    for submitted in range(2 * n):
        left = np.maximum(public - right - submitted, 0) / np.maximum(public - submitted, 1)
        all_wrong[submitted + 1] = all_wrong[submitted] * left
    number = np.arange(n + 1)
    found = _found_by_two(counts, n, drawn)  # of each pair at most 2 n are submitted, all from those found
    both: Floats = (found * all_wrong[number[:, None] + number[None, :]]).sum(axis=(0, 1))
    return both


def _found_by_two(counts: Counts, n: int, drawn: int) -> Floats:
    """Return the chance that two separate draws find i and j, n being n or more: float64[n + 1, n + 1, P]."""
    samples, public, wrong = counts.samples, counts.public, counts.samples - counts.public
    first, second = np.arange(n)[:, None, None], np.arange(n)[None, :, None]

    def log_found(of: Integers, others: Integers, number: Integers) -> Floats:
        return log_choose(of, number) + log_choose(others, drawn - number) - log_choose(of + others, np.array(drawn))

    of_first = log_found(public, wrong, first)
    both = np.exp(of_first + log_found(public - first, wrong - drawn + first, second))
    one = np.exp(of_first[:, 0])
    chances = np.zeros((n + 1, n + 1, len(samples)))
    chances[:n, :n] = both
    chances[:n, n] = chances[n, :n] = np.maximum(one - both.sum(axis=1), 0.0)
    chances[n, n] = np.maximum(1.0 - chances.sum(axis=(0, 1)), 0.0)
    return chances


def _values(samples: Integers, public: Integers, right: Integers, n: int | None, drawn: Integers) -> Floats:
    log_draws = log_choose(samples, drawn)
    if n is None:
        result: Floats = 0.0 - np.expm1(log_choose(samples - right, drawn) - log_draws)  # -x would make -0.0 of none
        return result
    value, rest, all_wrong = np.array(0.0), np.array(1.0), np.array(1.0)
    for found in range(n):  # exactly so many of the drawn pass the public tests, and all of them are submitted
        weight = np.exp(log_choose(public, found) + log_choose(samples - public, drawn - found) - log_draws)
        value = value + weight * (1.0 - all_wrong)
        rest = rest - weight
        all_wrong = all_wrong * np.maximum(public - right - found, 0) / np.maximum(public - found, 1)
    clipped: Floats = np.clip(value + np.maximum(rest, 0.0) * (1.0 - all_wrong), 0.0, 1.0)
    return clipped


def log_choose(total: Integers, chosen: Integers | int) -> Floats:
    """Return log C(total, chosen), -inf where chosen > total or chosen < 0."""
    total, chosen = np.broadcast_arrays(np.asarray(total), np.asarray(chosen))
    valid = (chosen >= 0) & (chosen <= total)
    size, part = np.where(valid, total, 0), np.where(valid, chosen, 0)
    log_factorial = _log_factorials(int(size.max(initial=0)))
    return np.where(valid, log_factorial[size] - log_factorial[part] - log_factorial[size - part], -np.inf)


@lru_cache(maxsize=16)
def _log_factorials(most: int) -> Floats:
    # To 170 by the factorial, which a float holds: lgamma errs by a few units in the last place, and 1/2 shows it.
    table = np.array([log(factorial(i)) if i <= 170 else lgamma(i + 1) for i in range(most + 1)])
    table.flags.writeable = False  # shared by all callers
    return table
