"""From outcomes to scores of a task: exact estimates by group and turn budget, intervals, gaps and their bounds.

Groups are all problems, the problems of each difficulty, and the clean ones: those that have one right
answer only, where others are flagged. A problem with too few known outcomes for a metric, or with programs
that passed the public tests and are not judged, is left out of its mean, is counted, and widens the bounds,
which take every missing outcome as wrong and as right.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from turnwise.benchmarks.records import Flag
from turnwise.leaderboard.bootstrap import bca
from turnwise.leaderboard.counts import Counts, Floats, count, value_of
from turnwise.leaderboard.intervals import Interval, Over, jackknife
from turnwise.leaderboard.outcomes import MISSING, TaskOutcomes
from turnwise.tasks.metrics import NAtK
from turnwise.tasks.run_folder import AskedProblem

PASS_AT = (1, 10, 100)
ALL, CLEAN = "all", "clean"
_RATING_BAND = 400
_CERTAIN = 1e-12


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
    intervals: Mapping[Over, Interval] = field(default_factory=dict)

    @property
    def is_certain(self) -> bool:
        """Whether nothing that is missing can change the value."""
        return self.counted == self.asked and self.upper_bound - self.lower_bound < _CERTAIN

    def to_json(self) -> dict[str, Any]:
        """Return the estimate as a JSON object."""
        intervals = {over.value: interval.to_json() for over, interval in self.intervals.items()}
        return {name: getattr(self, name) for name in self.__slots__} | {"intervals": intervals}


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


def score_task(
    outcomes: TaskOutcomes, *, n_at_k: Sequence[NAtK] = (), generator: np.random.Generator | None = None
) -> tuple[Estimate, ...]:
    """Return the estimates of one task, for every group and every budget of turns.

    pass@k counts dialogues, for k = 1, 10, 100 and all samples. n@k counts replies: 1@t with a budget of t
    turns for every t, and those asked for, which must be supported by the samples at the full budget. Intervals
    over problems need the ``generator``.
    """
    metrics = metrics_of(outcomes, n_at_k=n_at_k)
    columns = [count_known(outcomes, turns=metric.turns) for metric in metrics]
    values = np.stack([values_of(outcomes, metric) for metric in metrics], axis=1)
    found = []
    for group, rows in groups(outcomes.problems).items():
        over_problems = _over_problems(values[rows], [outcomes.problems[row].id for row in rows], generator)
        for metric, counts, column, drawn in zip(metrics, columns, values.T, over_problems, strict=True):
            found.append(_estimate(outcomes, rows, group, metric, column[rows], counts.rows(np.array(rows)), drawn))
    return tuple(found)


def count_known(outcomes: TaskOutcomes, *, turns: int) -> Counts:
    """Return the counts of the outcomes that are known at a turn budget."""
    passed, public = outcomes.passed[..., turns - 1], outcomes.public[..., turns - 1]
    return count(passed == 1, public == 1, known_P_K=passed != MISSING)


def values_of(outcomes: TaskOutcomes, metric: Metric) -> Floats:
    """Return the metric of each problem, float64[P]: NaN where too few outcomes are known."""
    passed, public = outcomes.passed[..., metric.turns - 1], outcomes.public[..., metric.turns - 1]
    values = value_of(count_known(outcomes, turns=metric.turns), n=metric.n, drawn=metric.drawn)
    # What passed the public tests and is not judged is no random part of the outcomes: nothing is said without it.
    values[((public == 1) & (passed == MISSING)).any(axis=1)] = np.nan
    lower, upper = bounds_of(outcomes, metric)
    certain: Floats = np.where(upper - lower < _CERTAIN, lower, values)  # what is missing cannot change these
    return certain


def bounds_of(outcomes: TaskOutcomes, metric: Metric) -> tuple[Floats, Floats]:
    """Return the least and the most that the metric of each problem can be, float64[P] each."""
    passed, public = outcomes.passed[..., metric.turns - 1], outcomes.public[..., metric.turns - 1]
    eligible = (public == 1) | (passed == MISSING)
    lower, upper = (
        value_of(count(right, eligible), n=metric.n, drawn=metric.drawn)
        for right in (passed == 1, (passed == 1) | (passed == MISSING))
    )
    return lower, upper


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
    known = ("EASY", "MEDIUM", "MEDIUM_HARD", "HARD", "VERY_HARD")
    band = re.fullmatch(r"(\d+)-\d+", level)
    rating = int(band[1]) if band else 0
    return not level, rating, known.index(level) if level in known else len(known), level


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


def _estimate(
    outcomes: TaskOutcomes,
    rows: list[int],
    group: str,
    metric: Metric,
    values: Floats,
    counts: Counts,
    intervals: Mapping[Over, Interval],
) -> Estimate:
    lower, upper = (float(bound[rows].mean()) for bound in bounds_of(outcomes, metric))
    counted = ~np.isnan(values)
    value = float(np.mean(values[counted])) if counted.any() else None
    of_samples = jackknife(counts.rows(counted), n=metric.n, drawn=metric.drawn)
    if of_samples is not None:
        intervals = {Over.SAMPLES: of_samples, **intervals}
    place = (group, metric.name, metric.turns)
    return Estimate(*place, value, int(counted.sum()), len(rows), lower, upper, intervals)


def _over_problems(
    values: Floats, names: Sequence[str], generator: np.random.Generator | None
) -> list[dict[Over, Interval]]:
    """Return the intervals of each column over problems and, where some share one, over contests."""
    found: list[dict[Over, Interval]] = [{} for _ in values.T]
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
