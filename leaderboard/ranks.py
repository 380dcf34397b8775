"""Rank intervals: which places of a leaderboard a model can have, given what its problems can tell apart.

>>> rank_models(values_M_P, generator=np.random.default_rng(0))
[Rank(value=0.91, best=1, worst=3), ...]

A model's best place is 1 + the models significantly better, its worst is that of all not significantly worse.
All pairs are tested by exchanging names problem by problem, and Holm's correction keeps the chance of any false
claim in the whole table at 5 %. Says nothing of the samples' noise alone: the problems are a draw here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil

import numpy as np

from turnwise.leaderboard.counts import Floats
from turnwise.leaderboard.intervals import LEVEL
from turnwise.leaderboard.permutation import DRAWS, flip_problems


@dataclass(frozen=True, slots=True)
class Rank:
    """A model's mean over the problems, and the best and worst place that the tests leave it."""

    value: float
    best: int
    worst: int


def holm(p_values: Floats) -> Floats:
    """Return Holm's adjusted p-values, in the order given: claims at 0.05 are false together in at most 5 %."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * p_values[order]))
    return adjusted


def rank_models(
    values_M_P: Floats,
    *,
    generator: np.random.Generator,
    clusters: Sequence[str] | None = None,
    level: float = LEVEL,
) -> list[Rank]:
    """Return the rank of each model from float64[M, P], the models' values on the same problems, all known."""
    models = len(values_M_P)
    pairs = list(combinations(range(models), 2))
    better = np.zeros((models, models), dtype=bool)
    if pairs:
        differences = np.stack([values_M_P[i] - values_M_P[j] for i, j in pairs], axis=1)
        draws = max(DRAWS, ceil(10 * len(pairs) / (1 - level)))  # so that the smallest p survives the correction
        p_values = flip_problems(differences, generator=generator, clusters=clusters, draws=draws)
        for (i, j), p_value, sum_of in zip(pairs, holm(p_values), differences.sum(axis=0), strict=True):
            winner, loser = (i, j) if sum_of > 0 else (j, i)
            better[winner, loser] = p_value <= 1 - level
    return [
        Rank(float(values.mean()), 1 + int(better[:, model].sum()), models - int(better[model].sum()))
        for model, values in enumerate(values_M_P)
    ]
