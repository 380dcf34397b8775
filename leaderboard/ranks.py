"""Rank intervals: which places of a leaderboard a model can have, given what can be told apart.

>>> rank_tasks(outcomes_of_the_models, over=Over.PROBLEMS, generator=np.random.default_rng(0))

A model's best place is 1 + the models significantly better, its worst is that of all not significantly worse.
All pairs are tested as two runs are compared (``permutation``), and Holm's correction keeps the chance of any
false claim among the models of one metric at 5 %. Does not correct for several metrics.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import ceil

import numpy as np

from turnwise.leaderboard.common import Common, in_common
from turnwise.leaderboard.counts import Floats
from turnwise.leaderboard.intervals import LEVEL
from turnwise.leaderboard.outcomes import TaskOutcomes
from turnwise.leaderboard.permutation import DRAWS, deal_samples, flip_problems
from turnwise.records.choices import Over
from turnwise.records.metrics import NAtK


@dataclass(frozen=True, slots=True)
class Rank:
    """A model's mean over the problems, and the best and worst place that the tests leave it."""

    value: float
    best: int
    worst: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """The ranks of several models, in their order, by one metric on the ``problems`` that all of them know."""

    metric: str
    turns: int
    problems: int
    ranks: tuple[Rank, ...]


def rank_tasks(
    several: Sequence[TaskOutcomes],
    *,
    over: Over,
    generator: np.random.Generator,
    n_at_k: Sequence[NAtK] = (),
) -> list[Ranking]:
    """Return the rankings by the metrics that all runs of a task support at their full turn budgets, and 1@t below."""
    found = []
    for common in in_common(several, n_at_k=n_at_k):
        if over is Over.SAMPLES:
            p_values = _deal_pairs(common, generator)
        else:
            clusters = common.contests if over is Over.CONTESTS else None
            p_values = flip_pairs(common.values, generator=generator, clusters=clusters)
        ranks = tuple(rank_models(common.values, p_values))
        found.append(Ranking(common.metric.name, common.metric.turns, len(common.problems), ranks))
    return found


def rank_models(values_M_P: Floats, p_values: Floats, *, level: float = LEVEL) -> list[Rank]:
    """Return the rank of each model from float64[M, P] and the p-values of its pairs, (0, 1), (0, 2) ... (M-2, M-1)."""
    models = len(values_M_P)
    means = values_M_P.mean(axis=1)
    better = np.zeros((models, models), dtype=bool)
    for (i, j), p_value in zip(_pairs(models), holm(p_values), strict=True):
        winner, loser = (i, j) if means[i] > means[j] else (j, i)
        better[winner, loser] = p_value <= 1 - level
    return [
        Rank(float(mean), 1 + int(better[:, model].sum()), models - int(better[model].sum()))
        for model, mean in enumerate(means)
    ]


def holm(p_values: Floats) -> Floats:
    """Return Holm's adjusted p-values, in the order given: claims at 0.05 are false together in at most 5 %."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * p_values[order]))
    return adjusted


def flip_pairs(values_M_P: Floats, *, generator: np.random.Generator, clusters: Sequence[str] | None = None) -> Floats:
    """Return the p-value of each pair of models, their names exchanged problem by problem (or cluster by cluster)."""
    pairs = _pairs(len(values_M_P))
    if not pairs:
        return np.empty(0)
    differences = np.stack([values_M_P[i] - values_M_P[j] for i, j in pairs], axis=1)
    return flip_problems(differences, generator=generator, clusters=clusters, draws=_draws(len(pairs)))


def _deal_pairs(common: Common, generator: np.random.Generator) -> Floats:
    """Return the p-value of each pair of models, each problem's samples dealt anew to the two."""
    pairs, counts, metric = _pairs(len(common.counts)), common.counts, common.metric
    dealt = partial(deal_samples, n=metric.n, drawn=metric.drawn, generator=generator, draws=_draws(len(pairs)))
    return np.array([dealt(counts[i], counts[j]) for i, j in pairs])


def _pairs(models: int) -> list[tuple[int, int]]:
    return list(combinations(range(models), 2))


def _draws(pairs: int) -> int:
    """Return so many draws that the smallest p-value survives the correction."""
    return max(DRAWS, ceil(10 * pairs / (1 - LEVEL)))
