"""Intervals: the record that all of them share, and those that turnwise claims to cover.

>>> wilson(0.0, trials=165)
Interval(method='Wilson', level=0.95, lower=0.0, upper=0.0227...)
>>> bca(values_P_M, generator=np.random.default_rng(0))

``jackknife`` takes the problems as fixed, and the samples not; ``bca`` takes the problems as a draw, too
(docs/estimators.md has their coverage). BCa (Efron 1987) corrects the percentiles of the bootstrap for bias and
skewness, which scores near 0 and 1 have. A contest's problems resemble each other, so where they are drawn together,
whole contests are drawn; the samples of a problem are not, since their spread is in the values already. The intervals
in ``papers`` are there to be compared with published ones, and no coverage is claimed for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import NormalDist

import numpy as np

from turnwise.leaderboard.estimators import Counts, Floats, Integers, both_fail, value_of

LEVEL = 0.95
FEW = 5  # differing problems that are too few for a bootstrap interval alone (docs/estimators.md)
FEW_VARYING = 3  # varying problems that are too few for an interval over samples alone
_NOTHING = 1e-18  # a variance that is rounding only
RESAMPLES = 10_000
_CHUNK = 1_000_000  # weights held at a time: 8 MB


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``lower`` to ``upper`` at a nominal ``level``; ``method`` is its name in every table and file."""

    method: str
    level: float
    lower: float
    upper: float


def normal_quantile(level: float) -> float:
    """Return z such that a normal variable lies within -z and z with probability ``level``."""
    return NormalDist().inv_cdf(0.5 + level / 2)


def t_quantile(level: float, *, freedom: float) -> float:
    """Return t such that a Student variable with ``freedom`` >= 2 lies within -t and t with probability ``level``.

    Fisher's and Cornish's expansion (Abramowitz and Stegun 26.7.5): 0.8 % too small at 2 degrees, 0.03 % at 4.
    """
    z = normal_quantile(level)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + sum(term / freedom ** (power + 1) for power, term in enumerate(terms))


def wilson(share: float, *, trials: float, level: float = LEVEL) -> Interval:
    """Return Wilson's interval of a share of independent trials; it has a width at 0 and 1 as well."""
    z2 = normal_quantile(level) ** 2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = sqrt(z2 * (share * (1 - share) / trials + z2 / (4 * trials**2))) / (1 + z2 / trials)
    lower = 0.0 if share <= 0 else max(0.0, centre - half)
    return Interval("Wilson", level, lower, 1.0 if share >= 1 else min(1.0, centre + half))


def sample_variances(counts: Counts, *, n: int | None, drawn: int) -> Floats:
    """Return the variance of each problem's estimate over its samples: float64[P].

    The square of the chance to fail, less the chance that two separate draws both fail, has no bias; where there are
    fewer than two draws' samples it is the jackknife's, which is too large. NaN with no sample more than drawn.
    """
    unbiased = (1.0 - value_of(counts, n=n, drawn=drawn)) ** 2 - both_fail(counts, n=n, drawn=drawn)
    enough = counts.samples >= 2 * drawn
    if enough.all():
        return np.maximum(unbiased, 0.0)
    variances: Floats = np.where(enough, np.maximum(unbiased, 0.0), jackknife_variances(counts, n=n, drawn=drawn))
    return variances


def jackknife_variances(counts: Counts, *, n: int | None, drawn: int) -> Floats:
    """Return the variance of each problem's estimate: float64[P], leaving out one sample at a time.

    Leaving out a right sample, one that passes the public tests only, or a wrong one are the three things that
    can happen, so nothing is recomputed per sample. NaN where a problem has no sample more than drawn.
    """
    samples, public, right = counts.samples, counts.public, counts.right
    kinds = (  # how many samples are of the kind, and what is left without one of them
        (right, public - 1, right - 1),
        (public - right, public - 1, right),
        (samples - public, public, right),
    )
    weights = np.stack([kind for kind, _, _ in kinds]) / np.maximum(samples, 1)
    values = np.stack([value_of(_left(samples - 1, e, s), n=n, drawn=drawn) for _, e, s in kinds])
    mean = (weights * values).sum(axis=0)
    variances: Floats = (samples - 1) * (weights * (values - mean) ** 2).sum(axis=0)
    return variances


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean and how far its interval reaches to both sides, before it is cut at 0 and 1."""

    value: float
    reach: float
    method: str


def sample_spread(counts: Counts, *, n: int | None, drawn: int, level: float = LEVEL) -> Spread | None:
    """Return the spread of the mean over these problems, whose samples alone are drawn at random.

    It reaches as far as Student's t does with twice as many degrees of freedom as problems vary (Kish's number): the
    variance is itself an estimate, and rests on these. Where fewer than FEW_VARYING vary (none does at 0 and 1) it
    reaches as far as Wilson's interval at 0 at least, over the K // drawn separate draws that each problem's samples
    make: what has not been seen may be there. None where a problem has no sample more than drawn: a draw of all
    samples has no spread to be seen.
    """
    values = value_of(counts, n=n, drawn=drawn)
    variances = sample_variances(counts, n=n, drawn=drawn)
    if len(counts) == 0 or np.isnan(variances).any():
        return None
    varying = effective_number(variances)
    quantile = t_quantile(level, freedom=2 * max(varying, 1.0))
    reach = quantile * sqrt(float(variances.sum())) / len(counts)
    method = "jackknife"
    if varying < FEW_VARYING:
        reach = max(reach, wilson(0.0, trials=float((counts.samples // drawn).sum()), level=level).upper)
        method = "jackknife and Wilson" if varying else "Wilson"
    return Spread(float(values.mean()), reach, f"{method} over samples")


def effective_number(parts: Floats) -> float:
    """Return how many equal parts would make a sum as even as that of these (Kish): 0 where all are 0."""
    squares = float((parts**2).sum())
    return float(parts.sum()) ** 2 / squares if squares > _NOTHING**2 else 0.0


def jackknife(counts: Counts, *, n: int | None, drawn: int, level: float = LEVEL) -> Interval | None:
    """Return the interval that ``sample_spread`` makes, cut at 0 and 1, or None where there is none."""
    spread = sample_spread(counts, n=n, drawn=drawn, level=level)
    if spread is None:
        return None
    return Interval(spread.method, level, max(0.0, spread.value - spread.reach), min(1.0, spread.value + spread.reach))


def wilson_mean(values: Floats, *, trials: int, signed: bool = False, level: float = LEVEL) -> tuple[float, float]:
    """Return the ends of Wilson's interval of a mean of values between 0 and 1, none of which varies more than 0 and 1.

    ``signed`` values lie between -1 and 1: their positive and negative parts have an interval each, whose reaches
    are squared and added (Newcombe 1998).
    """
    gained, lost = float(np.maximum(values, 0).mean()), float(np.maximum(-values, 0).mean())
    up = wilson(gained, trials=trials, level=level)
    if not signed:
        return up.lower, up.upper
    down = wilson(lost, trials=trials, level=level)
    value = gained - lost
    return value - hypot(gained - up.lower, down.upper - lost), value + hypot(up.upper - gained, lost - down.lower)


def _left(samples: Integers, public: Integers, right: Integers) -> Counts:
    """Return counts after leaving one out; impossible ones, whose weight is 0, become possible."""
    public = np.clip(public, 0, np.maximum(samples, 0))
    return Counts(samples, public, np.clip(right, 0, public))


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
