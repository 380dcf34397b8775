"""From outcomes to scores of a task: exact estimates by group and turn budget, intervals, gaps and their bounds.

Groups are all problems, the problems of each difficulty, and the clean ones: those that have one right
answer only, where others are flagged. A problem without a value (``metrics``) is left out of the mean, is counted,
and widens the bounds, which take every missing outcome as wrong and as right.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from turnwise.benchmarks.taco import DIFFICULTIES
from turnwise.leaderboard.estimators import Floats, Integers
from turnwise.leaderboard.intervals import Interval, bca, jackknife
from turnwise.leaderboard.metrics import CERTAIN, Metric, bounds_of, count_known, metrics_of, values_of
from turnwise.leaderboard.outcomes import TaskOutcomes
from turnwise.leaderboard.papers import Shown, parity_interval
from turnwise.records.choices import Over, Parity
from turnwise.records.metrics import NAtK
from turnwise.records.problem import Flag
from turnwise.records.run_folder import AskedProblem

ALL, CLEAN = "all", "clean"
_RATING_BAND = 400


@dataclass(frozen=True, slots=True)
class Estimate:
    """One metric of one group at one turn budget: its mean over ``counted`` of ``asked`` problems.

    ``value`` is None where no problem has enough known outcomes. ``intervals`` say nothing of what is missing,
    and one that cannot be had is not among them: a draw of all samples, or one problem, shows no spread.
    """

    group: str
    metric: str
    turns: int
    value: float | None
    counted: int
    asked: int
    lower_bound: float
    upper_bound: float
    intervals: Mapping[Shown, Interval] = field(default_factory=dict)

    @property
    def is_certain(self) -> bool:
        """Whether nothing that is missing can change the value."""
        return self.counted == self.asked and self.upper_bound - self.lower_bound < CERTAIN


def score_task(
    outcomes: TaskOutcomes,
    *,
    n_at_k: Sequence[NAtK] = (),
    generator: np.random.Generator | None = None,
    parity: Parity | None = None,
) -> tuple[Estimate, ...]:
    """Return the estimates of one task, for every group and every budget of turns.

    pass@k counts dialogues, for k = 1, 10, 100 and all samples. n@k counts replies: 1@t with a budget of t
    turns for every t, and those asked for, which must be supported by the samples at the full budget. Intervals
    over problems need the ``generator``, and so does that of a paper, ``parity``.
    """
    metrics = metrics_of(outcomes, n_at_k=n_at_k)
    by_group = groups(outcomes.problems).items()
    found = (estimate(outcomes, metrics, generator, group, rows, parity) for group, rows in by_group)
    return tuple(one for of_group in found for one in of_group)


def estimate(
    outcomes: TaskOutcomes,
    metrics: Sequence[Metric],
    generator: np.random.Generator | None,
    group: str = ALL,
    rows: Sequence[int] | None = None,
    parity: Parity | None = None,
) -> list[Estimate]:
    """Return the estimates of some metrics of one group, whose problems stand in ``rows`` (None: in all)."""
    chosen = np.arange(len(outcomes.problems)) if rows is None else np.array(rows)
    values = np.stack([_values(outcomes, metric, chosen) for metric in metrics], axis=1)
    names = [outcomes.problems[row].id for row in chosen]
    over_problems = intervals_over_problems(values, names, generator)
    found = []
    for metric, column, drawn in zip(metrics, values.T, over_problems, strict=True):
        counts = count_known(outcomes, turns=metric.turns).rows(chosen)
        lower, upper = (bound[chosen] for bound in bounds_of(outcomes, metric))
        counted = counts.rows(~np.isnan(column))
        intervals: dict[Shown, Interval] = dict(drawn)
        if (of_samples := jackknife(counted, n=metric.n, drawn=metric.drawn)) is not None:
            intervals = {Over.SAMPLES: of_samples, **intervals}
        if parity is not None and generator is not None and np.all(counted.samples >= metric.drawn):
            as_there = parity_interval(counted, parity, n=metric.n, drawn=metric.drawn, generator=generator)
            intervals |= {parity: as_there} if as_there is not None else {}
        found.append(summarise(group, metric.name, metric.turns, column, lower, upper, intervals))
    return found


def _values(outcomes: TaskOutcomes, metric: Metric, rows: Integers) -> Floats:
    """Return the values of some problems; where nothing that is missing can change any of them, all are known.

    All or none: were only the certain ones taken, solved problems would count and unsolved ones would not.
    """
    values = values_of(outcomes, metric)[rows]
    lower, upper = (bound[rows] for bound in bounds_of(outcomes, metric))
    known = np.where(upper - lower < CERTAIN, lower, values)
    return values if np.isnan(known).any() else known


def summarise(
    group: str, name: str, turns: int, values: Floats, lower: Floats, upper: Floats, intervals: Mapping[Shown, Interval]
) -> Estimate:
    """Return the estimate of values of problems, NaN where there is none, and of their bounds: float64[P] each."""
    counted = ~np.isnan(values)
    value = float(np.mean(values[counted])) if counted.any() else None
    place = (group, name, turns)
    bounds = (float(lower.mean()), float(upper.mean()))
    return Estimate(*place, value, int(counted.sum()), len(values), *bounds, intervals)


def contest_of(problem_id: str) -> str:
    """Return the contest of a problem: codecontests/1575 for codecontests/1575_B. ..., else the problem itself."""
    match = re.match(r"(codecontests/\d+)_", problem_id)
    return match[1] if match else problem_id


def groups(problems: Sequence[AskedProblem]) -> dict[str, list[int]]:
    """Return the rows of each group: all, clean where some problems are flagged, and each difficulty."""
    found = {ALL: list(range(len(problems)))}
    clean = [row for row in found[ALL] if Flag.MULTIPLE_ANSWERS.value not in problems[row].flags]
    if clean and len(clean) < len(problems):
        found[CLEAN] = clean
    levels = [_level(problem.difficulty) for problem in problems]
    if any(levels):
        for level in sorted(set(levels), key=_level_order):
            found[f"difficulty {level or 'unknown'}"] = [row for row in found[ALL] if levels[row] == level]
    return found


def _level(difficulty: str) -> str:
    """Return the group of a difficulty: a label as it is, a rating (1687) as its band (1600-1999)."""
    if not difficulty.isdecimal():
        return difficulty
    start = int(difficulty) // _RATING_BAND * _RATING_BAND
    return f"{start}-{start + _RATING_BAND - 1}"


def _level_order(level: str) -> tuple[bool, int, int, str]:
    band = re.fullmatch(r"(\d+)-\d+", level)
    rating = int(band[1]) if band else 0
    return not level, rating, DIFFICULTIES.index(level) if level in DIFFICULTIES else len(DIFFICULTIES), level


def intervals_over_problems(
    values: Floats, names: Sequence[str], generator: np.random.Generator | None
) -> list[dict[Shown, Interval]]:
    """Return the intervals of each column of float64[P, M] over problems and, where some share one, over contests."""
    found: list[dict[Shown, Interval]] = [{} for _ in values.T]
    if generator is None:
        return found
    known = ~np.isnan(values)
    for pattern in np.unique(known, axis=1).T:
        columns = np.flatnonzero((known == pattern[:, None]).all(axis=0))
        contests = [contest_of(name) for name, is_known in zip(names, pattern, strict=True) if is_known]
        clusterings = {Over.PROBLEMS: None, Over.CONTESTS: contests}
        if len(set(contests)) == len(contests):
            del clusterings[Over.CONTESTS]
        for over, clusters in clusterings.items():
            intervals = bca(values[np.ix_(pattern, columns)], generator=generator, clusters=clusters)
            for column, interval in zip(columns, intervals, strict=True):
                if interval is not None:
                    found[column][over] = interval
    return found
