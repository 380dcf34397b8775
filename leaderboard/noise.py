"""Noise: the difference between two models that a benchmark of this size can tell from chance.

>>> expect_noise(problems=165, samples=200, drawn=33, score=0.3).over_problems.detectable

Detectable is what a two-sided test at 5 % finds in 80 % of runs: 2.80 standard errors of a difference between two
runs of equal size. Over samples the problems are these and no others; over problems they are a draw, and two
models find the same ones hard, with correlation CORRELATION. Before a run, problems are assumed to be solved with
probabilities of a beta distribution; after it, its own counts are used. Does not foresee n@k with n below the
dialogues drawn before a run: that rests on how much the public tests tell.
"""

from dataclasses import dataclass
from math import exp, lgamma, sqrt
from statistics import NormalDist

import numpy as np

from turnwise.leaderboard.counts import Counts, Floats, value_of
from turnwise.leaderboard.intervals import normal_quantile, sample_variances

POWER, SIGNIFICANCE = 0.80, 0.05
# Medians over the 31 models of evalplus's recorded pass counts (docs/estimators.md): 0.81 and 0.46.
CONCENTRATION, CORRELATION = 1.0, 0.5
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


def expect_noise(
    *, problems: int, samples: int, drawn: int, score: float, concentration: float = CONCENTRATION
) -> Noise:
    """Return the noise of pass@drawn to be expected where pass@1 is ``score``; raises ValueError if it cannot be.

    A problem is solved with a probability from the beta distribution of mean ``score`` and concentration a + b.
    """
    if problems < 2 or not 1 <= drawn <= samples:
        raise ValueError(f"{problems} problems with {samples} samples: at least 2, and {drawn} samples to draw")
    if not 0 < score < 1 or concentration <= 0:
        raise ValueError(f"a score of {score:g} (concentration {concentration:g}) must lie between 0 and 1")
    a, b = score * concentration, (1 - score) * concentration
    unsolved, unsolved_twice = (_log_beta_ratio(a, b, 0, drawn * times) for times in (1, 2))
    between = exp(unsolved_twice) - exp(2 * unsolved)
    number = np.arange(samples + 1)
    counts = Counts(np.full(samples + 1, samples), number, number)
    values, weights = value_of(counts, n=None, drawn=drawn), _beta_binomial(samples, a, b)
    within = float(weights @ values**2) - float(weights @ values) ** 2 - between
    within = max(0.0, within)
    return _noise(1 - exp(unsolved), problems, between, within if drawn < samples else None, between + within)


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


def _log_beta_ratio(a: float, b: float, right: float, wrong: float) -> float:
    """Return log of B(a + right, b + wrong) / B(a, b): the chance of one such sequence of samples."""
    ahead = lgamma(a + right) + lgamma(b + wrong) - lgamma(a + b + right + wrong)
    return ahead - (lgamma(a) + lgamma(b) - lgamma(a + b))


def _beta_binomial(samples: int, a: float, b: float) -> Floats:
    """Return the chance of each number of right samples: float64[samples + 1]."""
    logs = [
        lgamma(samples + 1) - lgamma(c + 1) - lgamma(samples - c + 1) + _log_beta_ratio(a, b, c, samples - c)
        for c in range(samples + 1)
    ]
    chances: Floats = np.exp(np.array(logs))
    return chances
