"""Exact pass@k, pass n@k and their curves from boolean arrays; no resampling, no randomness.

>>> pass_n_at_k(passed, public, n=10, k=100, turns=3).mean()

pass@k (Chen et al., arXiv 2107.03374): 1 - C(K-c, k) / C(K, k) for c right of K samples.

pass n@k (Li et al., arXiv 2203.07814; with turns: Gehring et al., arXiv 2410.02089): the probability that
one of at most n submissions, drawn among those of k samples that pass the public tests, is right. Multi-turn,
k counts replies: k replies make k // turns dialogues, each with one candidate. The formula is in ``counts``.

Arrays are [problem, sample]. A missing sample is one that ``known`` says False of: it is left out, and a
problem with too few known samples is NaN, never 0. Without ``known`` too few samples are an error.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from turnwise.leaderboard.counts import Booleans, Counts, Floats, count, value_of


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
