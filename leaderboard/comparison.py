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
from turnwise.leaderboard.common import Common, in_common
from turnwise.leaderboard.counts import Counts, Floats
from turnwise.leaderboard.intervals import LEVEL, Interval, sample_spread
from turnwise.leaderboard.outcomes import TaskOutcomes
from turnwise.leaderboard.permutation import deal_samples, flip_problems
from turnwise.records.choices import Over
from turnwise.records.codec import to_json
from turnwise.records.metrics import NAtK


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


def difference_document(difference: Difference) -> dict[str, Any]:
    """Return a difference as it stands in JSON: with its value, and both values of each problem that flipped."""
    data: dict[str, Any] = to_json(difference)
    ends = {name: data.pop(name) for name in ("interval", "p_value")}
    del data["flips"]
    flipped = {flip.problem: [flip.first, flip.second] for flip in difference.flips}
    return {**data, "difference": difference.value, **ends, "flipped": flipped}


def compare_tasks(
    first: TaskOutcomes,
    second: TaskOutcomes,
    *,
    over: Over,
    generator: np.random.Generator,
    n_at_k: Sequence[NAtK] = (),
) -> list[Difference]:
    """Return the differences of the metrics that both support at their full turn budgets, and of 1@t below."""
    return [_compare(common, over, generator) for common in in_common([first, second], n_at_k=n_at_k)]


def _compare(common: Common, over: Over, generator: np.random.Generator) -> Difference:
    (a, b), metric = common.values, common.metric
    interval: Interval | None
    if over is Over.SAMPLES:
        interval = between_samples(*common.counts, n=metric.n, drawn=metric.drawn)
        p_value = deal_samples(*common.counts, n=metric.n, drawn=metric.drawn, generator=generator)
    else:
        interval, p_value = _test_problems(b - a, common.contests if over is Over.CONTESTS else None, generator)
    flips = tuple(
        Flip(name, float(x), float(y))
        for name, x, y in zip(common.problems, a, b, strict=True)
        if (x - 0.5) * (y - 0.5) < 0
    )
    means = float(a.mean()), float(b.mean())
    return Difference(metric.name, metric.turns, len(common.problems), *means, interval, p_value, flips)


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
