"""The metrics of a task, and the value of each problem: from outcomes to arrays, before any mean is taken.

>>> values_of(outcomes, Metric(n=10, k=100, turns=3))

A problem with too few known outcomes, or with programs that passed the public tests and are not judged, has no
value (NaN), and bounds that take every missing outcome as wrong and as right. Takes no mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from turnwise.leaderboard.estimators import Booleans, Counts, Floats, count, pass_at_k, pass_n_at_k
from turnwise.leaderboard.outcomes import MISSING, TaskOutcomes
from turnwise.records.metrics import NAtK

PASS_AT = (1, 10, 100)
CERTAIN = 1e-12  # bounds this near to each other are equal


@dataclass(frozen=True, slots=True)
class Metric:
    """pass@k of k dialogues, which submits all (``n`` None), or n@k of k replies, each with so many turns at most."""

    n: int | None
    k: int
    turns: int

    @property
    def name(self) -> str:
        """Its name in tables and files."""
        return f"pass@{self.k}" if self.n is None else f"{self.n}@{self.k}"

    @property
    def drawn(self) -> int:
        """How many dialogues are drawn."""
        return self.k if self.n is None else self.k // self.turns

    def is_whole(self, max_turns: int) -> bool:
        """Return whether it uses the turn budget that a table's row of the whole task uses."""
        return self.turns == (max_turns if self.n is None else min(self.k, max_turns))


def metrics_of(outcomes: TaskOutcomes, *, n_at_k: Sequence[NAtK] = ()) -> list[Metric]:
    """Return the metrics that the samples support at each turn budget."""
    samples, max_turns = outcomes.passed.shape[1:]
    found: dict[tuple[str, int], Metric] = {}

    def add_n_at_k(metric: NAtK, turns: int) -> None:
        drawn = metric.k // turns
        if metric.n <= drawn <= samples:
            found.setdefault((str(metric), turns), Metric(metric.n, metric.k, turns))

    for turns in range(1, max_turns + 1):
        if max_turns > 1:
            add_n_at_k(NAtK(1, turns), turns)
        for metric in n_at_k:
            add_n_at_k(metric, turns)
        for k in sorted({*PASS_AT, samples}):
            if k <= samples:
                found[f"pass@{k}", turns] = Metric(None, k, turns)
    return list(found.values())


def count_known(outcomes: TaskOutcomes, *, turns: int) -> Counts:
    """Return the counts of the outcomes that are known at a turn budget."""
    passed, public = outcomes.passed[..., turns - 1], outcomes.public[..., turns - 1]
    return count(passed == 1, public == 1, known_P_K=passed != MISSING)


def values_of(outcomes: TaskOutcomes, metric: Metric) -> Floats:
    """Return the metric of each problem, float64[P]: NaN where too few outcomes are known."""
    passed, public = outcomes.passed[..., metric.turns - 1], outcomes.public[..., metric.turns - 1]
    values = _estimate(metric, passed == 1, public == 1, known=passed != MISSING)
    # What passed the public tests and is not judged is no random part of the outcomes: nothing is said without it.
    values[((public == 1) & (passed == MISSING)).any(axis=1)] = np.nan
    return values


def bounds_of(outcomes: TaskOutcomes, metric: Metric) -> tuple[Floats, Floats]:
    """Return the least and the most that the metric of each problem can be, float64[P] each."""
    passed, public = outcomes.passed[..., metric.turns - 1], outcomes.public[..., metric.turns - 1]
    eligible = (public == 1) | (passed == MISSING)
    lower = _estimate(metric, passed == 1, eligible)
    upper = _estimate(metric, (passed == 1) | (passed == MISSING), eligible)
    return lower, upper


def _estimate(metric: Metric, passed: Booleans, public: Booleans, *, known: Booleans | None = None) -> Floats:
    """Return the metric of each problem by its documented estimator."""
    if metric.n is None:
        return pass_at_k(passed, k=metric.k, known_P_K=known)
    return pass_n_at_k(passed, public, n=metric.n, k=metric.k, turns=metric.turns, known_P_K=known)
