"""From outcomes to scores of a task: exact estimates by group and turn budget, what is missing, its bounds.

Groups are all problems, the problems of each difficulty, and the clean ones: those that have one right
answer only, where others are flagged. A problem with too few known outcomes for a metric, or with programs
that passed the public tests and are not judged, is left out of its mean, is counted, and widens the bounds,
which take every missing outcome as wrong and as right.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from turnwise.benchmarks.records import Flag
from turnwise.leaderboard.estimators import pass_at_k, pass_n_at_k
from turnwise.leaderboard.outcomes import MISSING, TaskOutcomes
from turnwise.tasks.metrics import NAtK
from turnwise.tasks.run_folder import AskedProblem

PASS_AT = (1, 10, 100)
ALL, CLEAN = "all", "clean"
_RATING_BAND = 400
_CERTAIN = 1e-12

Outcomes = npt.NDArray[np.int8]
Estimator = Callable[[npt.NDArray[np.bool_], npt.NDArray[np.bool_]], npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Estimate:
    """One metric of one group at one turn budget: its mean over ``counted`` of ``asked`` problems.

    ``value`` is None where no problem has enough known outcomes.
    """

    group: str
    metric: str
    turns: int
    value: float | None
    counted: int
    asked: int
    lower_bound: float
    upper_bound: float

    @property
    def is_certain(self) -> bool:
        """Whether nothing that is missing can change the value."""
        return self.counted == self.asked and self.upper_bound - self.lower_bound < _CERTAIN

    def to_json(self) -> dict[str, Any]:
        """Return the estimate as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class _Metric:
    name: str
    turns: int
    needed: int
    estimator: Estimator


def score_task(outcomes: TaskOutcomes, *, n_at_k: Sequence[NAtK] = ()) -> tuple[Estimate, ...]:
    """Return the estimates of one task, for every group and every budget of turns.

    pass@k counts dialogues, for k = 1, 10, 100 and all samples. n@k counts replies: 1@t with a budget of t
    turns for every t, and those asked for, which must be supported by the samples at the full budget.
    """
    samples, max_turns = outcomes.passed.shape[1:]
    metrics = _metrics(samples, max_turns, n_at_k)
    return tuple(
        _estimate(outcomes, rows, group, metric)
        for group, rows in groups(outcomes.problems).items()
        for metric in metrics
    )


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


def _metrics(samples: int, max_turns: int, n_at_k: Sequence[NAtK]) -> list[_Metric]:
    found: dict[tuple[str, int], _Metric] = {}

    def add_n_at_k(metric: NAtK, turns: int) -> None:
        drawn = metric.k // turns
        if metric.n <= drawn <= samples:
            estimator = partial(_n_at_k, n=metric.n, k=metric.k, turns=turns)
            found.setdefault((str(metric), turns), _Metric(str(metric), turns, drawn, estimator))

    for turns in range(1, max_turns + 1):
        if max_turns > 1:
            add_n_at_k(NAtK(1, turns), turns)
        for metric in n_at_k:
            add_n_at_k(metric, turns)
        for k in sorted({*PASS_AT, samples}):
            if k <= samples:
                found[f"pass@{k}", turns] = _Metric(f"pass@{k}", turns, k, partial(_pass_at_k, k=k))
    return list(found.values())


def _n_at_k(
    passed: npt.NDArray[np.bool_], public: npt.NDArray[np.bool_], *, n: int, k: int, turns: int
) -> npt.NDArray[np.float64]:
    return pass_n_at_k(passed, public, n=n, k=k, turns=turns)


def _pass_at_k(passed: npt.NDArray[np.bool_], _: npt.NDArray[np.bool_], *, k: int) -> npt.NDArray[np.float64]:
    return pass_at_k(passed, k=k)


def _estimate(outcomes: TaskOutcomes, rows: list[int], group: str, metric: _Metric) -> Estimate:
    passed, public = outcomes.passed[rows, :, metric.turns - 1], outcomes.public[rows, :, metric.turns - 1]
    known = passed != MISSING
    values = _known_values(passed, public, known, metric)
    # What passed the public tests and is not judged is no random part of the outcomes: nothing is said without it.
    values[((public == 1) & ~known).any(axis=1)] = np.nan
    lower = metric.estimator(passed == 1, (public == 1) | ~known)
    upper = metric.estimator((passed == 1) | ~known, (public == 1) | ~known)
    values = np.where(upper - lower < _CERTAIN, lower, values)  # what is missing cannot change it
    counted = ~np.isnan(values)
    return Estimate(
        group,
        metric.name,
        metric.turns,
        float(np.mean(values[counted])) if counted.any() else None,
        int(counted.sum()),
        len(rows),
        float(np.mean(lower)),
        float(np.mean(upper)),
    )


def _known_values(
    passed: Outcomes, public: Outcomes, known: npt.NDArray[np.bool_], metric: _Metric
) -> npt.NDArray[np.float64]:
    """Return the metric of each problem over its known outcomes, NaN where they are too few."""
    values = np.full(len(passed), np.nan)
    sizes = known.sum(axis=1)
    for size in np.unique(sizes[sizes >= metric.needed]):
        same = sizes == size
        shape = (int(same.sum()), int(size))
        right = passed[same][known[same]].reshape(shape) == 1
        values[same] = metric.estimator(right, public[same][known[same]].reshape(shape) == 1)
    return values
