"""``turnwise noise``: the smallest difference between two models that a run can show, before it or after it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tabulate import tabulate

from turnwise.errors import TurnwiseError
from turnwise.exchange.runs import read_run, runs_at
from turnwise.leaderboard.noise import CONCENTRATION, CORRELATION, MISLED, Expected, Noise, expect_noise, measure_noise
from turnwise.leaderboard.outcomes import RunOutcomes, TaskOutcomes
from turnwise.leaderboard.scores import PASS_AT, count_known, metrics_of, values_of
from turnwise.records.metrics import check_support, parse_n_at_k

_HEADERS = ["metric", "problems", "score", "s.e. samples", "s.e. problems", "detect: samples", "detect: problems"]
_MOST_SAMPLES = 10_000
_MOST_SAMPLES_OF_N_AT_K = 1_000  # whose work grows with their square
_LEGEND = """\
detect: the difference of two such runs that a test at 5 % finds in 80 % of cases, in percentage points;
samples: on these very problems; problems: on problems like these, both models asked the same ones."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A run to come: how many problems, samples of each, turns at most, and what is expected of it.

    ``score`` is pass@1 of dialogues, ``misled`` the share of wrong programs that pass the public tests.
    """

    problems: int
    samples: int
    score: float = 0.5
    turns: int = 3
    misled: float = MISLED


def noise_command(path: Path | None, plan: Plan | None, *, n_at_k: str = "") -> str:
    """Return the noise report of a run, or of a plan; raises TurnwiseError unless exactly one of them is given."""
    if (path is None) == (plan is None):
        raise TurnwiseError("turnwise noise takes a run folder, or --problems and --samples of a run to come.")
    wanted = [name for name in n_at_k.split(",") if name.strip()]
    if plan is not None:
        return _planned(plan, wanted)
    return "\n\n".join(_measured(read_run(run), wanted) for run in runs_at([path or Path()]).runs)


def _planned(plan: Plan, n_at_k: list[str]) -> str:
    for option, value, least in (("--problems", plan.problems, 2), ("--samples", plan.samples, 1)):
        if value < least:
            raise TurnwiseError(f"{option} is {value}: a run to come has at least {least}.")
    most = _MOST_SAMPLES_OF_N_AT_K if n_at_k else _MOST_SAMPLES
    if plan.samples > most:
        raise TurnwiseError(f"--samples is {plan.samples}: give {most} at most{' with --n_at_k' if n_at_k else ''}.")
    if plan.turns < 1:
        raise TurnwiseError(f"--turns is {plan.turns}: a dialogue has at least 1.")
    asked = [parse_n_at_k(name) for name in n_at_k]
    draws: list[tuple[str, int | None, int]] = []
    for one in asked:
        check_support(one, samples=plan.samples, turns=plan.turns)
        draws.append((str(one), one.n, one.dialogues(turns=plan.turns)))
    draws += [(f"pass@{k}", None, k) for k in sorted({*PASS_AT, plan.samples}) if k <= plan.samples]
    expected = Expected(plan.score, misled=plan.misled)
    try:
        rows = [
            _row(name, expect_noise(expected, problems=plan.problems, samples=plan.samples, n=n, drawn=drawn))
            for name, n, drawn in draws
        ]
    except ValueError as error:
        raise TurnwiseError(f"No noise to expect: {error}.") from error
    assumed = (
        f"Assumed: pass@1 of {100 * plan.score:g}, problems that differ as a beta distribution with a + b = "
        f"{CONCENTRATION:g}, and a correlation of {CORRELATION:g} between two models' problems."
    )
    of_tests = (
        f"Of n@k, with at most {plan.turns} turns: on every problem {100 * plan.misled:g} % of wrong programs pass the "
        "public tests (--misled); where problems differ in that, n@k is noisier."
    )
    return "\n".join([_table(rows), "", _LEGEND, assumed, *([of_tests] if n_at_k else [])])


def _measured(run: RunOutcomes, n_at_k: list[str]) -> str:
    parts = [f"{run.label}, {run.path}"]
    for task in run.tasks:
        rows = _rows(run, task, n_at_k)
        parts.append(f"{task.record.task}, samples per problem: {task.passed.shape[1]}")
        parts.append(_table(rows) if rows else "fewer than two problems are known: no noise can be measured")
    assumed = f"Assumed: a correlation of {CORRELATION:g} between two models' problems."
    return "\n".join([*parts, "", _LEGEND, assumed])


def _rows(run: RunOutcomes, task: TaskOutcomes, n_at_k: list[str]) -> list[list[str]]:
    samples, turns = task.passed.shape[1:]
    names = dict.fromkeys([*run.record.settings.n_at_k, *n_at_k])
    asked = [check_support(parse_n_at_k(name), samples=samples, turns=turns) for name in names]
    rows = []
    for metric in metrics_of(task, n_at_k=asked):
        if metric.is_whole(turns):
            counts = count_known(task, turns=metric.turns).rows(~np.isnan(values_of(task, metric)))
            if (noise := measure_noise(counts, n=metric.n, drawn=metric.drawn)) is not None:
                rows.append(_row(metric.name, noise))
    return rows


def _row(name: str, noise: Noise) -> list[str]:
    errors = (noise.over_samples, noise.over_problems)
    cells = [_points(one.standard_error) if one else "-" for one in errors]
    cells += [_points(one.detectable) if one else "-" for one in errors]
    return [name, str(noise.problems), _points(noise.score), *cells]


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def _table(rows: list[list[str]]) -> str:
    align = ["left"] + ["right"] * (len(_HEADERS) - 1)
    return tabulate(rows, headers=_HEADERS, disable_numparse=True, colalign=align)
