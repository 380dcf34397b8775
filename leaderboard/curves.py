"""Curves of a task: its score along k, along turns, or along tokens, where each problem is given equal tokens.

>>> draw_curve(outcomes, Along.TOKENS, n_at_k=[NAtK(10, 100)], generator=np.random.default_rng(0))

Each point is an estimate of its own, with what it could not count and the bounds that this leaves; one that no
problem has enough dialogues for says so. As a table it is for a person a row a step and a column a turn budget, for
programs a row an estimate: text marks with * what is missing, CSV and JSON say of every point how many problems it
counts, its bounds and its intervals. Draws nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from turnwise.errors import TurnwiseError
from turnwise.json_text import json_text
from turnwise.leaderboard.estimators import Booleans, Floats, Integers, count, curve_over_tokens, value_of
from turnwise.leaderboard.formats import Table, render_notes, render_table, to_csv
from turnwise.leaderboard.outcomes import MISSING, TaskOutcomes
from turnwise.leaderboard.scores import ALL, Estimate, Metric, estimate, intervals_over_problems, metrics_of, summarise
from turnwise.leaderboard.tables import ScoredTask, flat, percent, run_names
from turnwise.records.choices import Along, Over, Style
from turnwise.records.metrics import NAtK

_STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)  # of each power of ten


@dataclass(frozen=True, slots=True)
class Point:
    """A curve's estimate ``at`` so many turns, tokens a problem, or k; ``n`` are submitted at most, None: all."""

    n: int | None
    at: int
    estimate: Estimate


def draw_curve(
    outcomes: TaskOutcomes,
    along: Along,
    *,
    n_at_k: Sequence[NAtK] = (),
    generator: np.random.Generator | None = None,
) -> tuple[Point, ...]:
    """Return the points of a task's curves, each turn budget and each n of ``n_at_k`` one, and one for pass@k.

    Along turns the metrics are those of the tables. Along tokens, which are those of prompts and replies, there are
    intervals over problems only. Raises TurnwiseError where no tokens are known.
    """
    if along is Along.TOKENS:
        return _along_tokens(outcomes, n_at_k, generator)
    metrics = metrics_of(outcomes, n_at_k=n_at_k) if along is Along.TURNS else _along_k(outcomes, n_at_k)
    at = [metric.turns if along is Along.TURNS else metric.k for metric in metrics]
    found = zip(metrics, at, estimate(outcomes, metrics, generator), strict=True)
    return tuple(Point(metric.n, place, one) for metric, place, one in found)


def steps(first: float, last: float) -> list[int]:
    """Return the steps 1, 2, 3, 5, 7, 10, 15, 20, 30 ... from the one at or below ``first`` to ``last`` at most."""
    powers = [10**power for power in range(len(str(int(max(last, 1)))))]
    every = sorted({int(step * power) for power in powers for step in _STEPS})
    start = max((step for step in every if step <= first), default=1)
    return [step for step in every if start <= step <= last]


def _along_k(outcomes: TaskOutcomes, n_at_k: Sequence[NAtK]) -> list[Metric]:
    """Return pass@k of dialogues and n@k of replies at every step, with the k asked for and the largest."""
    samples, max_turns = outcomes.passed.shape[1:]
    found = []
    for turns in range(1, max_turns + 1):
        found += [Metric(None, k, turns) for k in sorted({*steps(1, samples), samples})]
        replies = sorted({*steps(1, samples * turns), *(one.k for one in n_at_k), samples * turns})
        for n in sorted({one.n for one in n_at_k}):
            found += [Metric(n, k, turns) for k in replies if n <= k // turns <= samples]
    return found


def _along_tokens(
    outcomes: TaskOutcomes, n_at_k: Sequence[NAtK], generator: np.random.Generator | None
) -> tuple[Point, ...]:
    samples, max_turns = outcomes.passed.shape[1:]
    each = [_known_tokens(outcomes, turns).means for turns in range(1, max_turns + 1)]
    if np.isnan(each[0]).all():
        raise TurnwiseError(
            f"No reply of {outcomes.record.task} says how many tokens it took, and --curve tokens needs that: choose "
            "turns or k."
        )
    most = max(float(np.nanmax(means)) for means in each if not np.isnan(means).all())
    budgets = steps(float(np.nanmin(each[0])), samples * most)
    found = []
    for turns in range(1, max_turns + 1):
        for n in (None, *sorted({one.n for one in n_at_k})):
            found += _curve_of_tokens(outcomes, budgets, n, turns, generator)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Known:
    """The outcomes at one turn budget, bool[P, K] each, tokens int64[P, K]; ``means`` float64[P], NaN if not told."""

    passed: Booleans
    public: Booleans
    known: Booleans
    unjudged: Booleans
    tokens: Integers
    means: Floats


def _known_tokens(outcomes: TaskOutcomes, turns: int) -> _Known:
    passed, public = outcomes.passed[..., turns - 1], outcomes.public[..., turns - 1]
    tokens = outcomes.tokens[..., turns - 1]
    known = (passed != MISSING) & (tokens != MISSING)
    total, number = np.where(known, tokens, 0).sum(axis=1), known.sum(axis=1)
    means = np.where(total > 0, total / np.maximum(number, 1), np.nan)
    unjudged = ((public == 1) & (passed == MISSING)).any(axis=1)
    return _Known(passed == 1, public == 1, known, unjudged, tokens, means)


def _curve_of_tokens(
    outcomes: TaskOutcomes, budgets: Sequence[int], n: int | None, turns: int, generator: np.random.Generator | None
) -> list[Point]:
    found = _known_tokens(outcomes, turns)
    values = _values_of_tokens(found, budgets, n)
    equal: Sequence[Floats | None] = [None] * len(budgets)
    if outcomes.by_equality is not None:
        passed = outcomes.by_equality[..., turns - 1] == 1
        equal = list(_values_of_tokens(replace(found, passed=passed), budgets, n).T)
    lower, upper = _bounds_of_tokens(found, budgets, n)
    intervals = intervals_over_problems(values, [one.id for one in outcomes.problems], generator)
    name = "all" if n is None else str(n)
    columns = zip(budgets, values.T, lower.T, upper.T, intervals, equal, strict=True)
    return [
        Point(n, budget, summarise(ALL, f"{name} of {budget} tokens", turns, value, least, most, of_budget, other))
        for budget, value, least, most, of_budget, other in columns
    ]


def _values_of_tokens(found: _Known, budgets: Sequence[int], n: int | None) -> Floats:
    """Return the value of each problem at each budget, float64[P, B]; NaN where there is none."""
    values = np.full((len(found.means), len(budgets)), np.nan)
    told = ~np.isnan(found.means) & ~found.unjudged  # what is not judged is no random part: nothing is said without it
    arrays = (found.passed[told], found.public[told], found.tokens[told])
    values[told] = curve_over_tokens(*arrays, budgets=budgets, n=n, known_P_K=found.known[told])
    return values


def _bounds_of_tokens(found: _Known, budgets: Sequence[int], n: int | None) -> tuple[Floats, Floats]:
    """Return the least and the most: what is missing is wrong or right and takes the mean of its problem's tokens.

    A budget that affords more dialogues than there are gives no less than all of these do.
    """
    told, samples = ~np.isnan(found.means), found.known.shape[1]
    shape = (len(told), len(budgets))
    tokens = np.where(found.known, found.tokens, np.where(told, found.means, 0).astype(np.int64)[:, None])[told]
    bounds = []
    for other, right in ((0.0, found.passed & found.known), (1.0, found.passed | ~found.known)):
        arrays = (right[told], (found.public | ~found.known)[told])
        curve = curve_over_tokens(*arrays, tokens, budgets=budgets, n=n)
        of_all = value_of(count(*arrays), n=None if n is None or n >= samples else n, drawn=samples)
        bound = np.full(shape, other)
        bound[told] = np.where(np.isnan(curve), np.maximum(of_all, other)[:, None], curve)
        bounds.append(bound)
    return bounds[0], bounds[1]


_LEGENDS = {
    Along.TURNS: "By budget of turns; n@k is at equal k, so that more turns make fewer dialogues.",
    Along.TOKENS: (
        "At equal tokens of prompts and replies, each problem as many dialogues as it affords; submitted: all, or at "
        "most so many."
    ),
    Along.K: "Along k: pass@k counts dialogues and submits all, n@k counts replies.",
}


@dataclass(frozen=True, slots=True)
class Curve:
    """The points of one task of one run."""

    scored: ScoredTask
    points: tuple[Point, ...]


def render_curves(
    curves: Sequence[Curve],
    along: Along,
    settings: Sequence[str],
    *,
    over: Over | None = None,
    style: Style = Style.TEXT,
) -> str:
    """Return the curves as a table with what it means and the ``settings``; in CSV and JSON every point has a row."""
    if style in (Style.CSV, Style.JSON):
        rows = [row for curve in curves for row in _long(curves, curve, along)]
        if style == Style.JSON:
            return json_text({"curve": along, "points": rows, "settings": list(settings)}, indent=1, ensure_ascii=False)
        return to_csv([list(rows[0]), *(list(row.values()) for row in rows)])
    table = curves_table(curves, along, over=over)
    return "\n".join([render_table(table, style), *render_notes([*table.notes, *settings], style)])


def curves_table(curves: Sequence[Curve], along: Along, *, over: Over | None = None) -> Table:
    """Return a row for each task, metric and step, a column for each turn budget."""
    names = run_names([curve.scored for curve in curves])
    most = max(curve.scored.outcomes.record.max_turns for curve in curves)
    cells: dict[tuple[str, ...], dict[int, str]] = {}
    for curve in curves:
        start = (names[curve.scored.run.path], curve.scored.outcomes.record.task)
        for point in curve.points:
            key = (*start, *_row_of(point, along))
            cells.setdefault(key, {})[point.estimate.turns] = _cell(point, over)
    between = {Along.TURNS: ("metric",), Along.TOKENS: ("submitted", "tokens"), Along.K: ("metric", "k")}[along]
    budgets = tuple(f"{turns} turn" + ("s" if turns > 1 else "") for turns in range(1, most + 1))
    rows = tuple((*key, *(by_turns.get(turns, "") for turns in range(1, most + 1))) for key, by_turns in cells.items())
    return Table(("model", "task", *between, *budgets), rows, 3, notes=tuple(_notes(curves, along, over)))


def _row_of(point: Point, along: Along) -> tuple[str, ...]:
    submitted = "all" if point.n is None else str(point.n)
    if along is Along.TURNS:
        return (point.estimate.metric,)
    if along is Along.TOKENS:
        return (submitted, str(point.at))
    return ("pass@k" if point.n is None else f"{point.n}@k", str(point.at))


def _cell(point: Point, over: Over | None) -> str:
    return "-" if point.estimate.value is None else percent(point.estimate, over)


def _long(curves: Sequence[Curve], curve: Curve, along: Along) -> Iterator[dict[str, object]]:
    """Yield every point as a row of its own."""
    scored = curve.scored
    names = run_names([one.scored for one in curves])
    start = {"model": names[scored.run.path], "run": scored.run.path.name, "task": scored.outcomes.record.task}
    for point in curve.points:
        cells = flat(point.estimate)
        del cells["group"]
        yield {**start, "along": along.value, "at": point.at, "submitted": point.n or "all", **cells}


def _notes(curves: Sequence[Curve], along: Along, over: Over | None) -> Iterator[str]:
    names = run_names([curve.scored for curve in curves])
    for curve in curves:
        outcomes = curve.scored.outcomes
        if outcomes.missing:
            yield (
                f"* {names[curve.scored.run.path]}, {outcomes.record.task}: {outcomes.missing} of {outcomes.dialogues} "
                "dialogues are missing, which is not counted as wrong."
            )
    estimates = [point.estimate for curve in curves for point in curve.points]
    if any(not one.is_certain for one in estimates):
        yield "* over the problems that have dialogues enough; --format csv says how many, and the bounds for all."
    if any(one.value is None for one in estimates):
        yield "-: no problem has dialogues enough."
    yield ""
    yield f"{_LEGENDS[along]} Percent of the problems."
    methods = sorted({one.intervals[over].method for one in estimates if over in one.intervals}) if over else []
    if methods:
        yield f"95 % intervals: {'; '.join(methods)}."
    elif over is Over.SAMPLES and along is Along.TOKENS:
        yield "Along tokens there are intervals over problems (--interval problems), and none over samples."
