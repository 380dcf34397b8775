"""What several runs of one task have in common: the metrics they all support, the problems they all know.

>>> on_common(several, metric).values.mean(axis=1)

Runs are paired by problem, so a problem that one of them knows too little of is left out of all. Nothing is
tested or estimated here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from turnwise.leaderboard.counts import Counts, Floats
from turnwise.leaderboard.metrics import Metric, count_known, metrics_of, values_of
from turnwise.leaderboard.outcomes import TaskOutcomes
from turnwise.leaderboard.scores import contest_of
from turnwise.records.metrics import NAtK


@dataclass(frozen=True, slots=True)
class Common:
    """One metric of M runs on the P problems that all know, at least one: ``values`` are float64[M, P]."""

    metric: Metric
    problems: tuple[str, ...]
    values: Floats
    counts: tuple[Counts, ...]

    @property
    def contests(self) -> list[str]:
        """The contest of each problem."""
        return [contest_of(name) for name in self.problems]


def in_common(several: Sequence[TaskOutcomes], *, n_at_k: Sequence[NAtK] = ()) -> list[Common]:
    """Return the metrics that all runs support at their full turn budgets, and 1@t below; none without a problem."""
    most = min(one.record.max_turns for one in several)
    shared = set.intersection(*(set(metrics_of(one, n_at_k=n_at_k)) for one in several))
    ordered = [one for one in metrics_of(several[0], n_at_k=n_at_k) if one in shared and one.is_whole(most)]
    found = [on_common(several, metric) for metric in ordered]
    return [one for one in found if one is not None]


def on_common(several: Sequence[TaskOutcomes], metric: Metric) -> Common | None:
    """Return a metric of the runs on the problems that all know, in the order of the first; None without one."""
    ids = set.intersection(*({problem.id for problem in one.problems} for one in several))
    names = np.array([problem.id for problem in several[0].problems if problem.id in ids], dtype=object)
    rows = []
    for one in several:
        place = {problem.id: number for number, problem in enumerate(one.problems)}
        rows.append(np.array([place[name] for name in names], dtype=np.int64))
    values = np.stack([values_of(one, metric)[row] for one, row in zip(several, rows, strict=True)])
    known = np.flatnonzero(~np.isnan(values).any(axis=0))
    if not len(known):
        return None
    counts = (count_known(one, turns=metric.turns).rows(row[known]) for one, row in zip(several, rows, strict=True))
    return Common(metric, tuple(names[known]), values[:, known], tuple(counts))
