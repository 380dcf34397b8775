"""The value of each metric for each problem, as lm-eval keeps them: a number a document, null where unknown.

Estimating is the estimators' business; here is only what of a problem is known well enough to estimate.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from turnwise.leaderboard.metrics import Metric, values_of
from turnwise.leaderboard.outcomes import TaskOutcomes
from turnwise.tasks.metrics import parse_n_at_k

Values = dict[str, list[float | None]]


def problem_values(outcomes: TaskOutcomes, n_at_k: Sequence[str]) -> Values:
    """Return pass@1 and the ``n_at_k``, at the full turn budget, of each problem in order; None where unknown."""
    turns = outcomes.record.max_turns
    metrics = {"pass@1": Metric(None, 1, turns)}
    for name in n_at_k:
        metric = parse_n_at_k(name)
        if metric.k >= turns:
            metrics[name] = Metric(metric.n, metric.k, turns)
    return {
        name: [None if math.isnan(value) else float(value) for value in values_of(outcomes, metric)]
        for name, metric in metrics.items()
    }


def aggregate(values: Mapping[str, Sequence[float | None]]) -> dict[str, float | str]:
    """Return the mean of each metric with its standard error under lm-eval's names; "N/A" where there is none."""
    found: dict[str, float | str] = {}
    for name, of_problems in values.items():
        known = [value for value in of_problems if value is not None]
        found[f"{name},none"] = float(np.mean(known)) if known else "N/A"
        several = len(known) > 1
        found[f"{name}_stderr,none"] = float(np.std(known, ddof=1)) / math.sqrt(len(known)) if several else "N/A"
    return found
