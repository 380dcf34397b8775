"""Exact pass@k, pass n@k and their curves from boolean arrays; no resampling, no randomness.

>>> pass_n_at_k(passed, public, n=10, k=100, turns=3).mean()

pass@k (Chen et al., arXiv 2107.03374): 1 - C(K-c, k) / C(K, k) for c right of K samples.

pass n@k (Li et al., arXiv 2203.07814; with turns: Gehring et al., arXiv 2410.02089): the probability that
one of at most n submissions, drawn among those of k samples that pass the public tests, is right. Multi-turn,
k counts replies: k replies make k // turns dialogues, each with one candidate.

Arrays are [problem, sample]. A missing sample is one that ``known`` says False of: it is left out, and a
problem with too few known samples is NaN, never 0. Without ``known`` too few samples are an error.

Every estimator depends on a problem's samples through three numbers only, ``Counts``: how many samples are known, pass
the public tests and are right. So resampling draws numbers, never arrays of samples, and finds the estimate in a table.
With R dialogues drawn out of K without replacement, e of the K passing the public tests and s of those right, n of
those found being submitted:

    sum over e' of  C(e, e') C(K-e, R-e') / C(K, R)  *  [1 - C(e-s, m) / C(e, m)],   m = min(e', n)

Where all are submitted this is 1 - C(K-s, R) / C(K, R). ``value_of`` does not check what a user asked for: the
estimators do.
"""

from collections.abc import Sequence
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


def pass_at_k(passed_P_K: Booleans, *, k: int, known_P_K: Booleans | None = None) -> Floats:
    """Return pass@k of each problem: float64[P] from bool[P, K]; raises ValueError if K < k or k < 1."""
    counts = _counted(passed_P_K, None, known_P_K)
    _check_drawn(passed_P_K, k, "k")
    return value_of(counts, n=None, drawn=k)


def pass_n_at_k(
    passed_P_K: Booleans,
    public_P_K: Booleans,
    *,
    n: int,
    k: int,
    turns: int = 1,
    known_P_K: Booleans | None = None,
) -> Floats:
    """Return pass n@k of each problem: float64[P] from two bool[P, K] arrays.

    ``passed`` says which dialogues are right (public and hidden tests), ``public`` which pass the public
    tests; ``k`` counts replies, so k // turns dialogues are drawn. Raises ValueError if the shapes differ,
    a dialogue passed without passing the public tests, n exceeds the dialogues drawn, or K has too few.
    """
    if turns < 1 or k < turns:
        raise ValueError(f"k={k} replies make no dialogue of turns={turns}: k must be at least turns >= 1")
    drawn = k // turns
    counts = _counted(passed_P_K, public_P_K, known_P_K)
    _check_drawn(passed_P_K, drawn, f"k // turns = {k} // {turns}")
    if not 1 <= n <= drawn:
        raise ValueError(f"n={n} submissions need 1 <= n <= {drawn}, the dialogues in k={k} replies")
    return value_of(counts, n=n, drawn=drawn)


def best_of_k(passed_P_K: Booleans, public_P_K: Booleans, *, k: int, known_P_K: Booleans | None = None) -> Floats:
    """Return the chance that one of k samples, chosen by the public tests, is right: float64[P], as 1@k.

    Ties are broken at random; where no sample passes the public tests none is right, so any may be chosen.
    """
    return pass_n_at_k(passed_P_K, public_P_K, n=1, k=k, known_P_K=known_P_K)


def curve_over_k(
    passed_P_K: Booleans,
    public_P_K: Booleans | None = None,
    *,
    ks: Sequence[int],
    n: int | None = None,
    turns: int = 1,
    known_P_K: Booleans | None = None,
) -> Floats:
    """Return pass@k (or n@k, with ``public`` and ``n``) at each k: float64[P, len(ks)].

    NaN where k // turns dialogues are fewer than n or more than the problem's samples.
    """
    if (n is None) != (public_P_K is None):
        raise ValueError("n@k needs both n and the public outcomes, pass@k neither")
    if turns < 1 or any(k < 1 for k in ks) or (n is not None and n < 1):
        raise ValueError(f"turns={turns}, n={n} and every k of {list(ks)} must be at least 1")
    drawn = np.array(ks, dtype=np.int64) // turns
    return value_of(_counted(passed_P_K, public_P_K, known_P_K), n=n, drawn=drawn)


def curve_over_turns(
    passed_P_K_T: Booleans,
    public_P_K_T: Booleans,
    *,
    n: int,
    k: int,
    known_P_K_T: Booleans | None = None,
) -> Floats:
    """Return n@k at each turn budget, k replies each: float64[P, T] from bool[P, K, T] outcomes cut after turn t.

    More turns make fewer dialogues. NaN where k // t dialogues are fewer than n or more than the samples.
    """
    budgets = range(1, np.shape(passed_P_K_T)[-1] + 1)
    columns = [
        curve_over_k(
            passed_P_K_T[..., t - 1],
            public_P_K_T[..., t - 1],
            ks=[k],
            n=n,
            turns=t,
            known_P_K=None if known_P_K_T is None else known_P_K_T[..., t - 1],
        )
        for t in budgets
    ]
    return np.concatenate(columns, axis=1)


def curve_over_tokens(
    passed_P_K: Booleans,
    public_P_K: Booleans,
    tokens_P_K: npt.NDArray[np.int64],
    *,
    budgets: Sequence[float],
    n: int | None = None,
    known_P_K: Booleans | None = None,
) -> Floats:
    """Return the value of equal token budgets: float64[P, len(budgets)], from tokens per dialogue int64[P, K].

    A problem affords budget / its mean tokens per dialogue: 2.4 dialogues are two and, in 40 % of cases, a
    third, so that the tokens spent are the budget on average. At most n of them (None: all) are submitted.
    NaN where more dialogues are affordable than there are samples.
    """
    counts = _counted(passed_P_K, public_P_K, known_P_K)
    known = np.ones(np.shape(tokens_P_K), dtype=bool) if known_P_K is None else known_P_K
    spent = np.where(known, tokens_P_K, 0).sum(axis=1)
    if np.any(spent[counts.samples > 0] <= 0):
        raise ValueError("a problem's known dialogues have no tokens: an equal token budget has no meaning")
    with np.errstate(invalid="ignore", divide="ignore"):  # no known sample: NaN
        dialogues = np.asarray(budgets, dtype=float)[None, :] * (counts.samples / spent)[:, None]
    return _interpolated(_by_dialogues(counts, n), dialogues, counts)


def _by_dialogues(counts: Counts, n: int | None) -> Floats:
    """Return float64[P, K + 1]: the value of 0, 1, ... K dialogues, of which n, or all if fewer, are submitted."""
    drawn = np.arange(1, counts.samples.max(initial=0) + 1)
    values = value_of(counts, n=None, drawn=drawn)
    if n is not None:
        values = np.where(drawn >= n, value_of(counts, n=n, drawn=drawn), values)
    return np.concatenate([np.zeros((len(counts), 1)), values], axis=1)


def _interpolated(curve: Floats, dialogues: Floats, counts: Counts) -> Floats:
    possible = (counts.samples[:, None] > 0) & (dialogues <= counts.samples[:, None])
    whole = np.where(possible, dialogues, 0.0).astype(np.int64)
    part = np.where(possible, dialogues - whole, 0.0)
    rows = np.arange(len(counts))[:, None]
    following = curve[rows, np.minimum(whole + 1, counts.samples[:, None])]
    values = np.where(part > 0, (1 - part) * curve[rows, whole] + part * following, curve[rows, whole])
    return np.where(possible, values, np.nan)


def _counted(passed: Booleans, public: Booleans | None, known: Booleans | None) -> Counts:
    right = np.asarray(passed, dtype=bool)
    if right.ndim != 2:
        raise ValueError(f"expected an array [problem, sample], got shape {right.shape}")
    for name, other in (("public", public), ("known", known)):
        if other is not None and np.shape(other) != right.shape:
            raise ValueError(f"passed has shape {right.shape} but {name} has {np.shape(other)}")
    eligible = right if public is None else np.asarray(public, dtype=bool)
    present = np.ones(right.shape, dtype=bool) if known is None else np.asarray(known, dtype=bool)
    if np.any(right & ~eligible & present):
        raise ValueError("a sample that passed everything must have passed the public tests")
    return count(right, eligible, known_P_K=present)


def _check_drawn(passed: Booleans, drawn: int, name: str) -> None:
    if drawn < 1:
        raise ValueError(f"{name} must be at least 1, got {drawn}")
    if np.shape(passed)[1] < drawn:
        raise ValueError(f"K={np.shape(passed)[1]} samples are too few for {name} = {drawn}")
