"""The papers' resampling, to be compared with published numbers; no coverage is claimed for any of it.

>>> resample_draws(counts, n=10, drawn=33, generator=generator).interval
Interval(method='10,000 resamples without replacement, as in 2410.08105', ...)

Zheng et al. (2410.08105) draw the dialogues of each problem 10,000 times and look whether a submission is
right. A resample is right or wrong with a chance that the counts give exactly, so that chance is drawn, and no
array of samples. The spread of such resamples is not that of the estimate. With replacement it is biased: a
problem solved once in 200 samples is solved at k = 100 in 0.3942 of the resamples, not in 0.5.

Gehring et al. (RLEF, 2410.02089) draw the K results of each problem anew with replacement 200 times and
estimate from each: biased in the same way, and too narrow where k is no small part of K.
"""

from dataclasses import dataclass

import numpy as np

from turnwise.leaderboard.estimators import Counts, Floats, Integers, log_choose, value_of, value_table
from turnwise.leaderboard.intervals import LEVEL, Interval
from turnwise.records.choices import Over, Parity

ZHENG_RESAMPLES, RLEF_RESAMPLES = 10_000, 200
_CHUNK = 1_000_000  # random numbers held at a time: 8 MB


Shown = Over | Parity  # what can stand beside a score


@dataclass(frozen=True, slots=True)
class Resampled:
    """The mean of the resamples and their central part."""

    mean: float
    interval: Interval


def parity_interval(
    counts: Counts, kind: Parity, *, n: int | None, drawn: int, generator: np.random.Generator
) -> Interval | None:
    """Return the interval of the mean over the problems as a paper has it; None without a problem."""
    if not len(counts):
        return None
    if kind is Parity.RLEF:
        return resample_results(counts, metrics=[(n, drawn)], generator=generator)[0].interval
    replacement = kind is Parity.ZHENG_WITH
    return resample_draws(counts, n=n, drawn=drawn, generator=generator, replacement=replacement).interval


def resample_draws(
    counts: Counts,
    *,
    n: int | None,
    drawn: int,
    generator: np.random.Generator,
    replacement: bool = False,
    resamples: int = ZHENG_RESAMPLES,
    level: float = LEVEL,
) -> Resampled:
    """Return the mean over draws of ``drawn`` dialogues per problem, with or without replacement."""
    chance = with_replacement(counts, n=n, drawn=drawn) if replacement else value_of(counts, n=n, drawn=drawn)
    step = max(1, _CHUNK // max(1, len(counts)))
    parts = [
        (generator.random((min(step, resamples - start), len(counts))) < chance).mean(axis=1)
        for start in range(0, resamples, step)
    ]
    word = "with" if replacement else "without"
    return _summed(np.concatenate(parts), f"{resamples:,} resamples {word} replacement, as in 2410.08105", level)


def with_replacement(counts: Counts, *, n: int | None, drawn: int) -> Floats:
    """Return the chance that one of n among ``drawn`` dialogues drawn with replacement is right: float64[P].

    The number e' that pass the public tests is binomial, and each of the min(e', n) submitted is right with
    probability s / e. With all submitted: 1 - (1 - s / K) ** drawn.
    """
    samples = counts.samples
    if n is None or n == drawn:
        return 1.0 - (1.0 - counts.right / samples) ** drawn
    found = np.arange(drawn + 1)[:, None]
    share = counts.public / samples
    logs = [np.log(np.maximum(one, 1e-300)) for one in (share, 1.0 - share)]  # 0 to the power of 0 is 1
    weights = np.exp(log_choose(np.array(drawn), found) + found * logs[0] + (drawn - found) * logs[1])
    wrong = 1.0 - counts.right / np.maximum(counts.public, 1)
    result: Floats = (weights * (1.0 - wrong ** np.minimum(found, n))).sum(axis=0)
    return result


def resample_results(
    counts: Counts,
    *,
    metrics: list[tuple[int | None, int]],
    generator: np.random.Generator,
    resamples: int = RLEF_RESAMPLES,
    level: float = LEVEL,
) -> list[Resampled]:
    """Return each metric's estimates from resampled results; ``metrics`` are pairs (n, drawn).

    The K results of a problem, drawn with replacement, are counts: how many pass the public tests is binomial,
    how many of those are right is binomial again.
    """
    totals = np.zeros((len(metrics), resamples))
    tables: dict[int, list[Floats]] = {}
    for size, eligible, right in zip(counts.samples, counts.public, counts.right, strict=True):
        samples = int(size)
        if samples not in tables:
            tables[samples] = [value_table(samples, n=n, drawn=drawn).ravel() for n, drawn in metrics]
        public = generator.binomial(samples, eligible / samples, size=resamples)
        place = public * (samples + 1) + _right_of(public, right / max(eligible, 1), generator)
        for total, table in zip(totals, tables[samples], strict=True):
            total += table.take(place)
    return [_summed(total / len(counts), f"{resamples} resamples of results, as in RLEF", level) for total in totals]


def _right_of(public: Integers, share: float, generator: np.random.Generator) -> Integers:
    """Return how many of each resample's public-passing results are right."""
    if share in (0, 1):
        return public if share else np.zeros_like(public)
    order = np.argsort(public.astype(np.int16 if public.max() < 2**15 else np.int64), kind="stable")
    right = np.empty_like(public)
    right[order] = generator.binomial(public[order], share)  # numpy sets up once for equal neighbours
    return right


def _summed(means: Floats, method: str, level: float) -> Resampled:
    lower, upper = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Resampled(float(means.mean()), Interval(method, level, float(lower), float(upper)))
