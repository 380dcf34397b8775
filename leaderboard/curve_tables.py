"""Curves as tables: for a person a row a step and a column a turn budget, for programs a row an estimate.

CSV and JSON say of every point how many problems it counts, its bounds and its intervals; text marks with * what is
missing and leaves a dash where no problem has dialogues enough. Draws nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from turnwise.json_text import json_text
from turnwise.leaderboard.curves import Point
from turnwise.leaderboard.formats import Table, render_notes, render_table, to_csv
from turnwise.leaderboard.tables import ScoredTask, flat, percent, run_names
from turnwise.records.choices import Along, Over, Style

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


def _long(curves: Sequence[Curve], curve: Curve, along: Along) -> Iterator[dict[str, Any]]:
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
