"""From outcomes to scores of a task: its metrics, exact estimates by group and turn budget, intervals and bounds.

>>> values_of(outcomes, Metric(n=10, k=100, turns=3))

A problem with too few known outcomes, or with programs that passed the public tests and are not judged, has no value
(NaN), and bounds that take every missing outcome as wrong and as right. It is left out of the mean, is counted, and
widens the bounds of the score. Groups are all problems, the problems of each difficulty, and the clean ones: those that
have one right answer only, where others are flagged.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from turnwise.benchmarks.taco import DIFFICULTIES
from turnwise.leaderboard.estimators import Booleans, Counts, Floats, Integers, count, pass_at_k, pass_n_at_k
from turnwise.leaderboard.intervals import Interval, bca, jackknife
from turnwise.leaderboard.outcomes import MISSING, TaskOutcomes
from turnwise.leaderboard.papers import Shown, parity_interval
from turnwise.records.choices import Over, Parity
from turnwise.records.codec import to_json
from turnwise.records.metrics import NAtK
from turnwise.records.problem import Flag
from turnwise.records.run_folder import AskedProblem

PASS_AT = (1, 10, 100)
CERTAIN = 1e-12  # bounds this near to each other are equal
ALL, CLEAN = "all", "clean"
_RATING_BAND = 400


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


@dataclass(frozen=True, slots=True)
class Estimate:
    """One metric of one group at one turn budget: its mean over ``counted`` of ``asked`` problems.

    ``value`` is None where no problem has enough known outcomes. ``intervals`` say nothing of what is missing,
    and one that cannot be had is not among them: a draw of all samples, or one problem, shows no spread.
    ``by_equality`` is the value had only outputs that equal the expected ones been right, on the same tests and
    problems; None where that is not known.
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
    by_equality: float | None = None

    @property
    def differs_by_equality(self) -> bool:
        """Whether equality would have given another value."""
        return self.value is not None and self.by_equality is not None and abs(self.value - self.by_equality) > CERTAIN

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
        equal = _values_by_equality(outcomes, metric, chosen, column)
        found.append(summarise(group, metric.name, metric.turns, column, lower, upper, intervals, equal))
    return found


def _values(outcomes: TaskOutcomes, metric: Metric, rows: Integers) -> Floats:
    """Return the values of some problems; where nothing that is missing can change any of them, all are known.

    All or none: were only the certain ones taken, solved problems would count and unsolved ones would not.
    """
    values = values_of(outcomes, metric)[rows]
    lower, upper = (bound[rows] for bound in bounds_of(outcomes, metric))
    known = np.where(upper - lower < CERTAIN, lower, values)
    return values if np.isnan(known).any() else known


def _values_by_equality(outcomes: TaskOutcomes, metric: Metric, rows: Integers, values: Floats) -> Floats | None:
    """Return what the ``values`` of some problems are by equality; None where the judge does not say so.

    Which programs are submitted stays as it is: those that passed the public tests by the judge of the run.
    """
    if outcomes.by_equality is None or np.array_equal(outcomes.by_equality, outcomes.passed):
        return None if outcomes.by_equality is None else values
    return _values(replace(outcomes, passed=outcomes.by_equality), metric, rows)


def estimate_document(one: Estimate) -> dict[str, Any]:
    """Return an estimate as it stands in JSON: by equality only where that is another value."""
    document: dict[str, Any] = to_json(one)
    if not one.differs_by_equality:
        del document["by_equality"]
    return document


def summarise(
    group: str,
    name: str,
    turns: int,
    values: Floats,
    lower: Floats,
    upper: Floats,
    intervals: Mapping[Shown, Interval],
    equal: Floats | None,
) -> Estimate:
    """Return the estimate of values of problems, NaN where there is none, and of their bounds: float64[P] each.

    ``equal`` are the values by equality, None if unknown. They count the same problems: where one of these has none,
    there is no mean.
    """
    counted = ~np.isnan(values)
    value = float(np.mean(values[counted])) if counted.any() else None
    place = (group, name, turns)
    bounds = (float(lower.mean()), float(upper.mean()))
    by_equality = None if value is None or equal is None else float(np.mean(equal[counted]))
    by_equality = None if by_equality is None or np.isnan(by_equality) else by_equality
    return Estimate(*place, value, int(counted.sum()), len(values), *bounds, intervals, by_equality)


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
