"""Comparing runs of one task: what they have in common, differences of two, places of several.

>>> compare_tasks(outcomes_of_A, outcomes_of_B, over=Over.PROBLEMS, generator=np.random.default_rng(0))
>>> rank_tasks(outcomes_of_the_models, over=Over.PROBLEMS, generator=np.random.default_rng(0))

Runs are paired by problem, so a problem that one of them knows too little of is left out of all. A difference is the
second run's less the first's, with its interval, p-value and flipped problems.

The tests are permutation tests, two-sided: how often does chance alone make a difference as large? Two questions, as
with the intervals. Over problems: were the runs' names exchanged problem by problem (contest by contest)? Over samples:
were the dialogues of a problem dealt anew to the two runs? The first is about problems like these, the second about
these problems.

A model's best place is 1 + the models significantly better, its worst is that of all not significantly worse. Holm's
correction keeps the chance of any false claim among the models of one metric at 5 %. Nothing corrects for several
metrics.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import ceil, hypot

import numpy as np

from turnwise.leaderboard.estimators import Counts, Floats, Integers, value_of, value_table
from turnwise.leaderboard.intervals import LEVEL, Interval, bca, cluster_sums, sample_spread
from turnwise.leaderboard.outcomes import TaskOutcomes
from turnwise.leaderboard.scores import Metric, contest_of, count_known, metrics_of, values_of
from turnwise.records.choices import Over
from turnwise.records.codec import to_json
from turnwise.records.metrics import NAtK

DRAWS = 10_000
_CHUNK = 1_000_000  # signs held at a time: 8 MB
_ROUNDING = 1e-9


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


def difference_document(difference: Difference) -> dict[str, object]:
    """Return a difference as it stands in JSON: with its value, and both values of each problem that flipped."""
    data: dict[str, object] = to_json(difference)
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


def flip_problems(
    differences_P_M: Floats,
    *,
    generator: np.random.Generator,
    clusters: Sequence[str] | None = None,
    draws: int = DRAWS,
) -> Floats:
    """Return the p-value of each column's sum: float64[M]; all sign patterns where they are at most ``draws``."""
    sums, _ = cluster_sums(differences_P_M, clusters)
    sums = sums[np.any(np.abs(sums) > _ROUNDING, axis=1)]
    clusters_left = len(sums)
    observed = np.abs(sums.sum(axis=0)) - _ROUNDING
    exact = 2**clusters_left <= draws
    total = 2**clusters_left if exact else draws
    hits = np.zeros(sums.shape[1])
    step = max(1, _CHUNK // max(1, clusters_left, sums.shape[1]))
    for start in range(0, total, step):
        rows = min(step, total - start)
        if exact:
            bits = np.arange(start, start + rows)[:, None] >> np.arange(clusters_left)[None, :] & 1
        else:
            bits = generator.integers(2, size=(rows, clusters_left), dtype=np.int8)
        hits += (np.abs((2.0 * bits - 1.0) @ sums) >= observed).sum(axis=0)
    return hits / total if exact else (hits + 1) / (total + 1)


def deal_samples(
    first: Counts,
    second: Counts,
    *,
    n: int | None,
    drawn: int,
    generator: np.random.Generator,
    draws: int = DRAWS,
) -> float:
    """Return the p-value of the mean difference when each problem's samples are dealt anew to the two runs.

    Counts are dealt, not samples: how many right ones the first run gets is hypergeometric, and so is, of the
    others, how many that pass the public tests.
    """
    if n is None or n == drawn:  # all are submitted, so it is all one which pass the public tests
        first, second = (Counts(one.samples, one.right, one.right) for one in (first, second))
    observed = float((value_of(second, n=n, drawn=drawn) - value_of(first, n=n, drawn=drawn)).sum())
    totals = np.zeros(draws)
    tables: dict[int, Floats] = {}
    for sizes, public, right in zip(*_columns(first, second), strict=True):
        for size in sizes:
            if int(size) not in tables:
                tables[int(size)] = value_table(int(size), n=n, drawn=drawn)
        dealt_right = _deal(right.sum(), sizes.sum() - right.sum(), sizes[0], generator, draws)
        others = public.sum() - right.sum()
        dealt_public = dealt_right + _deal(
            others, sizes.sum() - right.sum() - others, sizes[0] - dealt_right, generator, draws
        )
        totals += tables[int(sizes[1])][public.sum() - dealt_public, right.sum() - dealt_right]
        totals -= tables[int(sizes[0])][dealt_public, dealt_right]
    hits = int((np.abs(totals) >= abs(observed) - _ROUNDING).sum())
    return (hits + 1) / (draws + 1)


def _columns(first: Counts, second: Counts) -> tuple[Integers, Integers, Integers]:
    """Return samples, public and right: int64[P, 2] each."""
    pairs = [(getattr(first, name), getattr(second, name)) for name in ("samples", "public", "right")]
    samples, public, right = (np.stack(pair, axis=1) for pair in pairs)
    return samples, public, right


def _deal(good: Integers, bad: Integers, hand: Integers, generator: np.random.Generator, draws: int) -> Integers:
    """Return how many good ones are in a hand of the good and bad: int64[draws]."""
    if good == 0 or bad == 0:
        return np.broadcast_to(hand if bad == 0 else np.zeros_like(hand), (draws,))
    return generator.hypergeometric(good, bad, hand, size=draws)


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
