"""The ranking as it stands in the page before any script: each task with its rows, best first, by its usual score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from turnwise.leaderboard.charts.data import headline
from turnwise.leaderboard.page.rows import PageRow, tokens_per_dialogue
from turnwise.leaderboard.paper_cells import find_estimate
from turnwise.leaderboard.scores import Estimate
from turnwise.leaderboard.tables import odd_mark, percent
from turnwise.records.choices import Over
from turnwise.texts import printable

_TO = _NONE = "\u2013"  # the dash between two numbers, and where there is none
_STEPS = 1000  # the width of a bar


@dataclass(frozen=True, slots=True)
class Cell:
    """One score of a row; ``reach`` are the ends of its interval where it is the usual one."""

    metric: str
    text: str
    reach: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A score and its interval in thousandths; ``point`` is None where there is no score."""

    start: float
    width: float
    point: float | None


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row as text; ``mark`` follows the name of one with odd replies."""

    key: str
    name: str
    mark: str
    place: str
    settings: str
    chosen: Bar
    cells: tuple[Cell, ...]
    problems: str
    tokens: str


@dataclass(frozen=True, slots=True)
class TaskTable:
    """A task, what is said beside its name, its usual score, and its rows."""

    name: str
    about: str
    metric: str
    rows: tuple[TableRow, ...]


def task_table(rows: Sequence[PageRow], task: Mapping[str, Any], metrics: Sequence[str]) -> TaskTable:
    """Return the table of the rows of one task, which ``tasks.describe_task`` describes."""
    metric = headline(rows[0].scored)
    ranks: dict[str, list[int]] = {}
    for row in rows:
        if rank := _rank(row, task):
            ranks[row.key] = rank

    def order(row: PageRow) -> tuple[float, float]:
        estimate = find_estimate(row.scored, headline(row.scored))
        value = -1.0 if estimate is None or estimate.value is None else estimate.value
        best, worst = ranks.get(row.key, (len(rows), len(rows)))
        return best * 1000 + worst, -value

    record = rows[0].scored.outcomes.record
    common = [part for part in settings_of(rows[0]) if all(part in settings_of(row) for row in rows)]
    about = f"{task['benchmark']}, {task['split']}: {len(task['problems'])} of {task['loaded']} problems"
    about = " · ".join([about, *common])
    shown = tuple(_table_row(row, ranks.get(row.key), metrics, common) for row in sorted(rows, key=order))
    return TaskTable(record.task, about, metric, shown)


def _rank(row: PageRow, task: Mapping[str, Any]) -> list[int] | None:
    metric = headline(row.scored)
    turns = row.scored.outcomes.record.max_turns
    ranks = task["places"].get(f"{metric}|{turns}", {}).get("ranks", {})
    found: list[int] | None = ranks.get(row.key)
    return found


def _table_row(row: PageRow, rank: list[int] | None, metrics: Sequence[str], common: Sequence[str]) -> TableRow:
    usual = headline(row.scored)
    chosen = find_estimate(row.scored, usual)
    cells = []
    for metric in metrics:
        estimate = find_estimate(row.scored, metric)
        cells.append(Cell(metric, percent(estimate), _reach(estimate) if metric == usual else ""))
    tokens = tokens_per_dialogue(row.scored)
    return TableRow(
        row.key,
        row.name,
        odd_mark(row.scored),
        _NONE if rank is None else f"{rank[0]}" if rank[0] == rank[1] else f"{rank[0]}{_TO}{rank[1]}",
        " · ".join(part for part in settings_of(row) if part not in common),
        _bar(chosen),
        tuple(cells),
        ""
        if chosen is None
        else f"{chosen.asked}"
        if chosen.counted == chosen.asked
        else f"{chosen.counted} of {chosen.asked}",
        "" if tokens is None else f"{tokens:,.0f}",
    )


def settings_of(row: PageRow) -> list[str]:
    """Return what tells runs of one model apart, a few words each."""
    record, settings = row.scored.outcomes.record, row.scored.run.record.settings
    samples = settings.samples_per_problem
    parts = [record.strategy.replace("_", "-")]
    if record.max_turns > 1:
        parts.append(f"{record.max_turns} turns, {settings.feedback.replace('_', ' ')}")
    parts.append(f"{samples} sample" + ("s" if samples != 1 else "") + " a problem")
    temperature = settings.sampling.temperature
    parts += [f"temperature {temperature:g}"] if isinstance(temperature, int | float) else []
    return [printable(part, limit=100) for part in parts]


def _reach(estimate: Estimate | None) -> str:
    interval = estimate.intervals.get(Over.PROBLEMS) if estimate else None
    return f"{100 * interval.lower:.1f}{_TO}{100 * interval.upper:.1f}" if interval else ""


def _bar(estimate: Estimate | None) -> Bar:
    if estimate is None or estimate.value is None:
        return Bar(0, 0, None)
    interval = estimate.intervals.get(Over.PROBLEMS)
    lower, upper = (interval.lower, interval.upper) if interval else (estimate.value, estimate.value)
    point = min(_STEPS - 8, max(0, _STEPS * estimate.value - 4))
    return Bar(round(_STEPS * lower, 2), round(_STEPS * (upper - lower), 2), round(point, 2))
