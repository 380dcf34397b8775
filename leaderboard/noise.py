"""Noise: the difference between two models that a benchmark of this size can tell from chance.

>>> expect_noise(Expected(score=0.3), problems=165, samples=200, n=10, drawn=33).over_problems.detectable

Detectable is what a two-sided test at 5 % finds in 80 % of runs: 2.80 standard errors of a difference between two
runs of equal size. Over samples the problems are these and no others; over problems they are a draw, and two
models find the same ones hard, with correlation CORRELATION. Before a run, problems are assumed to be solved with
probabilities of a beta distribution, and n@k rests on how many wrong programs the public tests let pass, too; after
it, its own counts are used.
"""

from dataclasses import dataclass
from math import lgamma, log, sqrt
from statistics import NormalDist

import numpy as np

from turnwise.leaderboard.estimators import Counts, Floats, both_fail, log_choose, value_of
from turnwise.leaderboard.intervals import normal_quantile, sample_variances

POWER, SIGNIFICANCE = 0.80, 0.05
# Medians over the 31 models of evalplus's recorded pass counts (docs/estimators.md): 0.81 and 0.46.
CONCENTRATION, CORRELATION = 1.0, 0.5
MISLED = 0.1  # of wrong programs that pass the public tests: 4 to 29 % in recorded runs (docs/estimators.md)
_NOTHING = 1e-12  # a standard error that is rounding only


@dataclass(frozen=True, slots=True)
class Error:
    """The standard error of a score, and the difference between two such scores that can be detected."""

    standard_error: float
    detectable: float


@dataclass(frozen=True, slots=True)
class Noise:
    """The noise of one mean; None where it shows no spread, as where all problems have one value.

    Where a draw takes all samples of a problem, ``over_samples`` is None and ``over_problems`` gives no credit for
    the problems being the same: it errs upwards.
    """

    score: float
    problems: int
    over_samples: Error | None
    over_problems: Error | None


@dataclass(frozen=True, slots=True)
class Expected:
    """What is assumed of a run to come: how likely its problems are solved, and wrong programs seem right.

    Problems are solved with chances of a beta distribution of mean ``score`` and a + b = ``concentration``; on each,
    ``misled`` of the wrong programs pass the public tests, which pass@k does not depend on.
    """

    score: float
    concentration: float = CONCENTRATION
    misled: float = MISLED


def expect_noise(expected: Expected, *, problems: int, samples: int, drawn: int, n: int | None = None) -> Noise:
    """Return the noise to be expected of n submissions (None: all) of ``drawn`` dialogues; raises ValueError if none.

    Between problems it is exact: what two separate draws have in common. Were ``misled`` another on each problem,
    n@k would be noisier.
    """
    if problems < 2 or not 1 <= drawn <= samples:
        raise ValueError(f"{problems} problems with {samples} samples: at least 2, and {drawn} samples to draw")
    if not 0 < expected.score < 1 or expected.concentration <= 0:
        raise ValueError(
            f"a score of {expected.score:g} (concentration {expected.concentration:g}) must lie between 0 and 1"
        )
    if not 0 <= expected.misled <= 1:
        raise ValueError(f"a share of {expected.misled:g} of wrong programs must lie between 0 and 1")
    misled = 0.0 if n is None or n >= drawn else expected.misled
    counts, chances = _outcomes(expected, samples, misled)
    values = value_of(counts, n=n, drawn=drawn)
    mean = float(chances @ values)
    of_two, chances_of_two = _outcomes(expected, 2 * drawn, misled)
    between = max(0.0, float(chances_of_two @ both_fail(of_two, n=n, drawn=drawn)) - (1 - mean) ** 2)
    within = max(0.0, float(chances @ values**2) - mean**2 - between)
    return _noise(mean, problems, between, within if drawn < samples else None, between + within)


def measure_noise(counts: Counts, *, n: int | None, drawn: int) -> Noise | None:
    """Return the noise of a metric of a run, from its counts; None with fewer than two problems."""
    values = value_of(counts, n=n, drawn=drawn)
    if len(values) < 2:
        return None
    variances = sample_variances(counts, n=n, drawn=drawn)
    within = None if np.isnan(variances).any() else float(variances.mean())
    total = float(values.var(ddof=1))
    return _noise(float(values.mean()), len(values), max(0.0, total - (within or 0.0)), within, total)


def _noise(score: float, problems: int, between: float, within: float | None, total: float) -> Noise:
    """Return the noise from variances: between the problems' true values, within a problem, and of an estimate."""
    reach = normal_quantile(1 - SIGNIFICANCE) + NormalDist().inv_cdf(POWER)
    of_difference = 2 * total if within is None else 2 * ((1 - CORRELATION) * between + within)
    over_problems = Error(sqrt(total / problems), reach * sqrt(of_difference / problems))
    over_samples = Error(sqrt((within or 0.0) / problems), reach * sqrt(2 * (within or 0.0) / problems))
    return Noise(
        score,
        problems,
        over_samples if over_samples.standard_error > _NOTHING else None,
        over_problems if over_problems.standard_error > _NOTHING else None,
    )


def _outcomes(expected: Expected, samples: int, misled: float) -> tuple[Counts, Floats]:
    """Return every count that a problem's samples can have, and its chance: of the right ones a beta-binomial one."""
    a, b = expected.score * expected.concentration, (1 - expected.score) * expected.concentration
    number = np.arange(samples + 1)
    rising = [[lgamma(start + one) - lgamma(start) for one in range(samples + 1)] for start in (a, b, a + b)]
    log_right = np.array(rising[0]) + np.array(rising[1])[::-1] - rising[2][samples]
    of_right: Floats = np.exp(log_choose(np.array(samples), number) + log_right)
    if misled == 0:
        return Counts(np.full(samples + 1, samples), number, number), of_right
    right, others = (array.ravel() for array in np.meshgrid(number, number, indexing="ij"))
    right, others = right[right + others <= samples], others[right + others <= samples]
    wrong = samples - right
    log_share = others * log(misled) + np.where(wrong > others, (wrong - others) * log(max(1 - misled, 1e-300)), 0.0)
    chances: Floats = of_right[right] * np.exp(log_choose(wrong, others) + log_share)
    return Counts(np.full(len(right), samples), right + others, right), chances
