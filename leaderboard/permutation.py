"""Permutation tests of paired differences: how often chance alone makes a difference as large.

>>> flip_problems(differences_P_M, generator=np.random.default_rng(0))

Two questions, as with the intervals. Over problems: were the runs' names exchanged problem by problem (contest by
contest), how often is the difference as large? Over samples: were the dialogues of a problem dealt anew to the
two runs? The first is about problems like these, the second about these problems. Both are two-sided.
"""

from collections.abc import Sequence

import numpy as np

from turnwise.leaderboard.bootstrap import cluster_sums
from turnwise.leaderboard.counts import Counts, Floats, Integers, value_of, value_table

DRAWS = 10_000
_CHUNK = 1_000_000  # signs held at a time: 8 MB
_ROUNDING = 1e-9


def flip_problems(
    differences_P_M: Floats,
    *,
    generator: np.random.Generator,
    clusters: Sequence[str] | None = None,
    draws: int = DRAWS,
) -> Floats:
    """Return the p-value of each column's sum: float64[M]; all sign patterns where they are at most ``draws``."""
    sums, _ = cluster_sums(differences_P_M, clusters)
    sums = sums[np.any(np.abs(sums) > _ROUNDING, axis=1)]
    clusters_left = len(sums)
    observed = np.abs(sums.sum(axis=0)) - _ROUNDING
    exact = 2**clusters_left <= draws
    total = 2**clusters_left if exact else draws
    hits = np.zeros(sums.shape[1])
    step = max(1, _CHUNK // max(1, clusters_left, sums.shape[1]))
    for start in range(0, total, step):
        rows = min(step, total - start)
        if exact:
            bits = np.arange(start, start + rows)[:, None] >> np.arange(clusters_left)[None, :] & 1
        else:
            bits = generator.integers(2, size=(rows, clusters_left), dtype=np.int8)
        hits += (np.abs((2.0 * bits - 1.0) @ sums) >= observed).sum(axis=0)
    return hits / total if exact else (hits + 1) / (total + 1)


def deal_samples(
    first: Counts,
    second: Counts,
    *,
    n: int | None,
    drawn: int,
    generator: np.random.Generator,
    draws: int = DRAWS,
) -> float:
    """Return the p-value of the mean difference when each problem's samples are dealt anew to the two runs.

    Counts are dealt, not samples: how many right ones the first run gets is hypergeometric, and so is, of the
    others, how many that pass the public tests.
    """
    if n is None or n == drawn:  # all are submitted, so it is all one which pass the public tests
        first, second = (Counts(one.samples, one.right, one.right) for one in (first, second))
    observed = float((value_of(second, n=n, drawn=drawn) - value_of(first, n=n, drawn=drawn)).sum())
    totals = np.zeros(draws)
    tables: dict[int, Floats] = {}
    for sizes, public, right in zip(*_columns(first, second), strict=True):
        for size in sizes:
            if int(size) not in tables:
                tables[int(size)] = value_table(int(size), n=n, drawn=drawn)
        dealt_right = _deal(right.sum(), sizes.sum() - right.sum(), sizes[0], generator, draws)
        others = public.sum() - right.sum()
        dealt_public = dealt_right + _deal(
            others, sizes.sum() - right.sum() - others, sizes[0] - dealt_right, generator, draws
        )
        totals += tables[int(sizes[1])][public.sum() - dealt_public, right.sum() - dealt_right]
        totals -= tables[int(sizes[0])][dealt_public, dealt_right]
    hits = int((np.abs(totals) >= abs(observed) - _ROUNDING).sum())
    return (hits + 1) / (draws + 1)


def _columns(first: Counts, second: Counts) -> tuple[Integers, Integers, Integers]:
    """Return samples, public and right: int64[P, 2] each."""
    pairs = [(getattr(first, name), getattr(second, name)) for name in ("samples", "public", "right")]
    samples, public, right = (np.stack(pair, axis=1) for pair in pairs)
    return samples, public, right


def _deal(good: Integers, bad: Integers, hand: Integers, generator: np.random.Generator, draws: int) -> Integers:
    """Return how many good ones are in a hand of the good and bad: int64[draws]."""
    if good == 0 or bad == 0:
        return np.broadcast_to(hand if bad == 0 else np.zeros_like(hand), (draws,))
    return generator.hypergeometric(good, bad, hand, size=draws)
