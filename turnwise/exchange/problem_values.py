"""The value of each metric for each problem, as lm-eval keeps them: a number a document, null where unknown.

Estimating is the estimators' business; here is only what of a problem is known well enough to estimate.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from turnwise.leaderboard.outcomes import MISSING, TaskOutcomes
from turnwise.leaderboard.scores import PASS_AT, Metric, values_of
from turnwise.records.metrics import parse_n_at_k
from turnwise.records.run_folder import TaskRecord
from turnwise.records.trajectory import Trajectory

NO_CODE, MISSING_SHARE = "no_code", "missing"
Values = dict[str, list[float | None]]


def metrics_of(task: TaskRecord, *, samples: int, n_at_k: Sequence[str]) -> dict[str, Metric]:
    """Return what is reported of ``task`` by its name in lm-eval's files, as far as ``samples`` support it.

    pass@k for k = 1, 10, 100, the ``n_at_k``, each at its full turn budget, and the pass@1 of each budget
    below the turn limit as solved_by_turn_1, ...
    """
    turns = task.max_turns
    metrics = {f"pass@{k}": Metric(None, k, turns) for k in PASS_AT if k <= samples}
    for name in n_at_k:
        metric = parse_n_at_k(name)
        if metric.is_supported(samples=samples, turns=turns):
            metrics[name] = Metric(metric.n, metric.k, metric.budget(turns))
    if turns > 1:
        metrics |= {f"solved_by_turn_{turn}": Metric(None, 1, turn) for turn in range(1, turns + 1)}
    return metrics


def names_of(task: TaskRecord, *, samples: int, n_at_k: Sequence[str]) -> dict[str, bool]:
    """Return the names of all that is reported of ``task``, and whether a higher value is better."""
    known = metrics_of(task, samples=samples, n_at_k=n_at_k)
    return {**dict.fromkeys(known, True), NO_CODE: False, MISSING_SHARE: False}


def problem_values(outcomes: TaskOutcomes, trajectories: Iterable[Trajectory], *, n_at_k: Sequence[str]) -> Values:
    """Return what is reported of each problem in order, names_of; None where too little is known.

    ``no_code`` is the share of a problem's known dialogues whose last reply holds no program, ``missing`` that of
    all its dialogues without an outcome.
    """
    metrics = metrics_of(outcomes.record, samples=outcomes.passed.shape[1], n_at_k=n_at_k)
    values: Values = {
        name: [None if math.isnan(value) else float(value) for value in values_of(outcomes, metric)]
        for name, metric in metrics.items()
    }
    without: dict[str, list[bool]] = {one.id: [] for one in outcomes.problems}
    for trajectory in trajectories:
        if not trajectory.is_missing and trajectory.turns:
            without[trajectory.problem].append(trajectory.turns[-1].program is None)
    values[NO_CODE] = [sum(of_problem) / len(of_problem) if of_problem else None for of_problem in without.values()]
    values[MISSING_SHARE] = [float(share) for share in (outcomes.passed[..., -1] == MISSING).mean(axis=1)]
    return values


def aggregate(values: Mapping[str, Sequence[float | None]]) -> dict[str, float | str]:
    """Return the mean of each metric with its standard error under lm-eval's names; "N/A" where there is none."""
    found: dict[str, float | str] = {}
    for name, of_problems in values.items():
        known = [value for value in of_problems if value is not None]
        found[f"{name},none"] = float(np.mean(known)) if known else "N/A"
        several = len(known) > 1
        found[f"{name}_stderr,none"] = float(np.std(known, ddof=1)) / math.sqrt(len(known)) if several else "N/A"
    return found
