"""The bootstrap over problems: BCa intervals of means, with the problems, or their contests, drawn at random.

>>> bca(values_P_M, generator=np.random.default_rng(0))

BCa (Efron 1987) corrects the percentiles for bias and skewness, which scores near 0 and 1 have. A contest's
problems resemble each other, so where they are drawn together, whole contests are drawn. Does not resample
the samples of a problem: their spread is in the values already.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

import numpy as np

from turnwise.leaderboard.counts import Floats
from turnwise.leaderboard.intervals import FEW, LEVEL, Interval, effective_number, t_quantile, wilson_mean

RESAMPLES = 10_000
_CHUNK = 1_000_000  # weights held at a time: 8 MB


def bca(
    values_P_M: Floats,
    *,
    generator: np.random.Generator,
    clusters: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    signed: bool = False,
) -> list[Interval | None]:
    """Return the interval of each column's mean over the problems: M intervals from float64[P, M].

    ``clusters`` names the cluster of each problem; whole clusters are drawn. All columns see the same resamples.
    Values lie between 0 and 1, or -1 and 1 where they are ``signed``. Where fewer than FEW clusters differ from the
    rest (none does at 0 and 1), the interval holds Wilson's too. None with fewer than two clusters.
    """
    sums, sizes = cluster_sums(values_P_M, clusters)
    if len(sizes) < 2:
        return [None] * sums.shape[1]
    unit = "over problems" if clusters is None else "over contests"
    resampled = resampled_means(sums, sizes, generator=generator, resamples=resamples)
    found: list[Interval | None] = []
    for column, drawn in enumerate(resampled.T):
        value = sums[:, column].sum() / sizes.sum()
        deviations = (sums[:, column] - value * sizes) ** 2
        differing = effective_number(deviations)
        method, ends = "BCa", [value, value]
        if differing:
            shares = _corrected(drawn, float(value), _acceleration(sums[:, column], sizes), _reach(deviations, level))
            ends = list(np.quantile(drawn, shares))
        if differing < FEW:
            lower, upper = wilson_mean(values_P_M[:, column], trials=len(sizes), signed=signed, level=level)
            method, ends = "BCa and Wilson" if differing else "Wilson", [min(ends[0], lower), max(ends[1], upper)]
        found.append(Interval(f"{method} {unit}", level, float(ends[0]), float(ends[1])))
    return found


def resampled_means(sums_C_M: Floats, sizes_C: Floats, *, generator: np.random.Generator, resamples: int) -> Floats:
    """Return float64[resamples, M]: the means when as many clusters as there are are drawn with replacement."""
    clusters, columns = sums_C_M.shape
    found = np.empty((resamples, columns))
    step = max(1, _CHUNK // clusters)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = generator.integers(clusters, size=(rows, clusters), dtype=np.int32)
        drawn += np.arange(rows, dtype=np.int32)[:, None] * clusters
        weights = np.bincount(drawn.ravel(), minlength=rows * clusters).reshape(rows, clusters).astype(float)
        found[start : start + rows] = (weights @ sums_C_M) / (weights @ sizes_C)[:, None]
    return found


def cluster_sums(values_P_M: Floats, clusters: Sequence[str] | None) -> tuple[Floats, Floats]:
    """Return the sums of each cluster, float64[C, M], and its number of problems, float64[C]."""
    if clusters is None:
        return values_P_M, np.ones(len(values_P_M))
    if len(clusters) != len(values_P_M):
        raise ValueError(f"{len(values_P_M)} problems have {len(clusters)} clusters: name one for each problem")
    numbers = np.unique(np.array(clusters), return_inverse=True)[1]
    sums = np.zeros((int(numbers.max(initial=-1)) + 1, values_P_M.shape[1]))
    np.add.at(sums, numbers, values_P_M)
    return sums, np.bincount(numbers).astype(float)


def _acceleration(sums: Floats, sizes: Floats) -> float:
    """Return the skewness term: from the mean without each cluster."""
    without = (sums.sum() - sums) / (sizes.sum() - sizes)
    off = without.mean() - without
    return float((off**3).sum() / (6 * (off**2).sum() ** 1.5))


def _reach(deviations: Floats, level: float) -> float:
    """Return how many standard deviations of the resamples an interval reaches, from clusters' squared deviations.

    Resamples vary less than samples do, by a root of (n - 1) / n, and their spread is itself an estimate: Student's t,
    with the degrees of freedom that the deviations' kurtosis leaves, in place of the normal quantile (Hesterberg 2015).
    """
    number, differing = len(deviations), effective_number(deviations)
    freedom = 2 * differing * number / max(number - differing, 1e-9)
    return t_quantile(level, freedom=max(freedom, 2.0)) * sqrt(number / (number - 1))


def _corrected(resampled: Floats, value: float, acceleration: float, reach: float) -> list[float]:
    """Return the shares of the resamples at which a corrected interval ends."""
    normal = NormalDist()
    below = float(np.mean(resampled < value) + 0.5 * np.mean(resampled == value))
    bias = normal.inv_cdf(min(max(below, 1 / (2 * len(resampled))), 1 - 1 / (2 * len(resampled))))
    ends = []
    for end in (-reach, reach):
        shifted = bias + end
        ends.append(normal.cdf(bias + shifted / (1 - acceleration * shifted)))
    return ends
