"""From outcomes of dialogues to scores of a task: exact estimates, what is missing, and its bounds.

A dialogue without an outcome (a failed request, a machine that failed) is missing, never wrong: a problem
with too few outcomes for a metric is left out of its mean, is counted, and widens the bounds, which
take every missing outcome as wrong and as right.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from turnwise.leaderboard.estimators import pass_at_k, pass_n_at_k

PASS_AT = (1, 10, 100)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one dialogue: None for both where that is not known; turns used by the submission."""

    problem: str
    sample: int
    passed: bool | None
    public_passed: bool | None
    turns_used: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """One metric: its mean over ``counted`` of ``asked`` problems, None where none could be counted."""

    metric: str
    value: float | None
    counted: int
    asked: int
    lower_bound: float
    upper_bound: float

    def to_json(self) -> dict[str, Any]:
        """Return the estimate as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


def score_outcomes(
    outcomes: Iterable[Outcome], *, problems: Sequence[str], samples: int, max_turns: int
) -> tuple[Estimate, ...]:
    """Return the estimates of one task over ``problems`` (the scorable ones), ``samples`` dialogues asked of each.

    pass@k counts dialogues, for k = 1, 10, 100 and all samples. Multi-turn tasks also get 1@t, which counts
    replies, for every budget of t turns up to ``max_turns``: a dialogue cut after turn t is solved if it
    was by then.
    """
    by_problem: dict[str, dict[int, Outcome]] = defaultdict(dict)
    for outcome in outcomes:
        by_problem[outcome.problem][outcome.sample] = outcome
    table = [[by_problem[problem].get(sample) for sample in range(samples)] for problem in problems]
    estimates = []
    if max_turns > 1:
        for turns in range(1, max_turns + 1):
            estimates.append(_estimate(table, f"1@{turns}", n=1, k=turns, turns=turns))
    for k in sorted({*PASS_AT, samples}):
        if k <= samples:
            estimates.append(_estimate(table, f"pass@{k}", n=None, k=k, turns=max_turns))
    return tuple(estimates)


def _estimate(table: list[list[Outcome | None]], metric: str, *, n: int | None, k: int, turns: int) -> Estimate:
    needed = k // turns if n is not None else k
    values, counted = [], []
    for row in table:
        known = [outcome for outcome in row if outcome is not None and outcome.passed is not None]
        counted.append(len(known) >= needed)
        if counted[-1]:
            values.append(_problem_value(known, n=n, k=k, turns=turns))
    lower = [_problem_value(_filled(row, right=False), n=n, k=k, turns=turns) for row in table]
    upper = [_problem_value(_filled(row, right=True), n=n, k=k, turns=turns) for row in table]
    return Estimate(
        metric,
        float(np.mean(values)) if values else None,
        sum(counted),
        len(table),
        float(np.mean(lower)) if lower else 0.0,
        float(np.mean(upper)) if upper else 0.0,
    )


def _problem_value(outcomes: Sequence[Outcome], *, n: int | None, k: int, turns: int) -> float:
    in_time = [outcome.turns_used <= turns for outcome in outcomes]
    passed = np.array([[bool(one.passed) and timely for one, timely in zip(outcomes, in_time, strict=True)]])
    if n is None:
        return float(pass_at_k(passed, k=k)[0])
    public = np.array([[bool(one.public_passed) and timely for one, timely in zip(outcomes, in_time, strict=True)]])
    return float(pass_n_at_k(passed, public, n=n, k=k, turns=turns)[0])


def _filled(row: list[Outcome | None], *, right: bool) -> list[Outcome]:
    return [
        outcome if outcome is not None and outcome.passed is not None else Outcome("", 0, right, right, 1)
        for outcome in row
    ]
