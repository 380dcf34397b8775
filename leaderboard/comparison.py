"""The comparison of two runs on the problems they share: the difference, its interval, p-value, flipped problems.

>>> compare_tasks(outcomes_of_A, outcomes_of_B, over=Over.PROBLEMS, generator=np.random.default_rng(0))

Differences are the second run's less the first's, paired by problem; a problem that either run knows too little of
is left out of both. Does not correct for several metrics: ``ranks`` does for several models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any

import numpy as np

from turnwise.leaderboard.bootstrap import bca
from turnwise.leaderboard.counts import Counts, Floats
from turnwise.leaderboard.intervals import LEVEL, Interval, Over, sample_spread
from turnwise.leaderboard.outcomes import TaskOutcomes
from turnwise.leaderboard.permutation import deal_samples, flip_problems
from turnwise.leaderboard.scores import Metric, contest_of, count_known, metrics_of, values_of
from turnwise.tasks.metrics import NAtK


@dataclass(frozen=True, slots=True)
class Flip:
    """A problem that one run solves in more than half of its draws and the other in less than half."""

    problem: str
    first: float
    second: float


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of two runs on ``problems`` that both know; ``interval`` is of ``second`` - ``first``."""

    metric: str
    turns: int
    problems: int
    first: float
    second: float
    interval: Interval | None
    p_value: float
    flips: tuple[Flip, ...]

    @property
    def value(self) -> float:
        """The difference."""
        return self.second - self.first

    def to_json(self) -> dict[str, Any]:
        """Return the difference as a JSON object."""
        return {
            "metric": self.metric,
            "turns": self.turns,
            "problems": self.problems,
            "first": self.first,
            "second": self.second,
            "difference": self.value,
            "interval": self.interval.to_json() if self.interval else None,
            "p_value": self.p_value,
            "flipped": {flip.problem: [flip.first, flip.second] for flip in self.flips},
        }


def compare_tasks(
    first: TaskOutcomes,
    second: TaskOutcomes,
    *,
    over: Over,
    generator: np.random.Generator,
    n_at_k: Sequence[NAtK] = (),
) -> list[Difference]:
    """Return the differences of the metrics that both support at their full turn budgets, and of 1@t below."""
    theirs = metrics_of(second, n_at_k=n_at_k)
    most = min(first.record.max_turns, second.record.max_turns)
    shared = [one for one in metrics_of(first, n_at_k=n_at_k) if one in theirs and one.is_whole(most)]
    rows = _common_rows(first, second)
    found = [_compare(first, second, rows, metric, over, generator) for metric in shared]
    return [one for one in found if one is not None]


def _common_rows(first: TaskOutcomes, second: TaskOutcomes) -> list[tuple[int, int]]:
    row = {problem.id: number for number, problem in enumerate(second.problems)}
    return [(number, row[one.id]) for number, one in enumerate(first.problems) if one.id in row]


def _compare(
    first: TaskOutcomes,
    second: TaskOutcomes,
    rows: list[tuple[int, int]],
    metric: Metric,
    over: Over,
    generator: np.random.Generator,
) -> Difference | None:
    pair = [values_of(one, metric)[[row[place] for row in rows]] for place, one in enumerate((first, second))]
    known = [number for number in range(len(rows)) if not np.isnan(pair[0][number] + pair[1][number])]
    if not known:
        return None
    a, b = pair[0][known], pair[1][known]
    names = [first.problems[rows[number][0]].id for number in known]
    counts = [
        count_known(one, turns=metric.turns).rows(np.array([rows[number][place] for number in known]))
        for place, one in enumerate((first, second))
    ]
    interval: Interval | None
    if over is Over.SAMPLES:
        interval = between_samples(counts[0], counts[1], n=metric.n, drawn=metric.drawn)
        p_value = deal_samples(counts[0], counts[1], n=metric.n, drawn=metric.drawn, generator=generator)
    else:
        clusters = [contest_of(name) for name in names] if over is Over.CONTESTS else None
        interval, p_value = _test_problems(b - a, clusters, generator)
    flips = tuple(
        Flip(name, float(x), float(y)) for name, x, y in zip(names, a, b, strict=True) if (x - 0.5) * (y - 0.5) < 0
    )
    return Difference(metric.name, metric.turns, len(known), float(a.mean()), float(b.mean()), interval, p_value, flips)


def _test_problems(
    differences: Floats, clusters: Sequence[str] | None, generator: np.random.Generator
) -> tuple[Interval | None, float]:
    column = differences[:, None]
    (interval,) = bca(column, generator=generator, clusters=clusters, signed=True)
    return interval, float(flip_problems(column, generator=generator, clusters=clusters)[0])


def between_samples(
    first: Counts, second: Counts, *, n: int | None, drawn: int, level: float = LEVEL
) -> Interval | None:
    """Return the interval of the second mean less the first, the problems fixed; None where either has none.

    The reaches of both are squared and added (Newcombe 1998), so that one at 0 or 1 counts as it should.
    """
    spreads = [sample_spread(counts, n=n, drawn=drawn, level=level) for counts in (first, second)]
    if spreads[0] is None or spreads[1] is None:
        return None
    a, b = spreads[0], spreads[1]
    value, reach = b.value - a.value, hypot(a.reach, b.reach)
    method = a.method if a.method == b.method else f"{a.method}; {b.method}"
    return Interval(method, level, max(-1.0, value - reach), min(1.0, value + reach))
