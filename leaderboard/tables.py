"""Tables of scores as text; every table says what was asked, what was left out and what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from tabulate import tabulate

from turnwise.leaderboard.scores import Estimate


@dataclass(frozen=True, slots=True)
class TaskScores:
    """The row of one model and task: estimates, and how many problems and dialogues they rest on.

    ``scorable`` of ``loaded`` problems can be judged; ``missing`` of ``dialogues`` have no outcome, and in
    ``ended_early`` of them a recording ended before the turn limit without passing the public tests.
    """

    model: str
    task: str
    estimates: tuple[Estimate, ...]
    loaded: int
    scorable: int
    dialogues: int
    missing: int
    ended_early: int = 0


def render_table(rows: Sequence[TaskScores], *, style: str = "simple") -> str:
    """Return the rows as a table, percentages with one decimal; a footnote where something is missing."""
    metrics = list(dict.fromkeys(estimate.metric for row in rows for estimate in row.estimates))
    metrics.sort(key=_metric_order)
    headers = ["model", "task", "problems", "dialogues", *metrics]
    body = [
        [row.model, row.task, f"{row.scorable} of {row.loaded}", str(row.dialogues), *_cells(row, metrics)]
        for row in rows
    ]
    align = ("left", "left", "right", "right", *("right" for _ in metrics))
    table = tabulate(body, headers=headers, tablefmt=style, disable_numparse=True, colalign=align)
    notes = [_missing_note(row) for row in rows if row.missing]
    notes += [_early_note(row) for row in rows if row.ended_early]
    return "\n".join([table, *notes])


def _metric_order(metric: str) -> tuple[bool, int]:
    return metric.startswith("pass@"), int(metric.rpartition("@")[2])


def _cells(row: TaskScores, metrics: Sequence[str]) -> list[str]:
    by_metric = {estimate.metric: estimate for estimate in row.estimates}
    return [_cell(by_metric.get(metric)) for metric in metrics]


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    if estimate.value is None:
        return "missing"
    mark = "*" if estimate.counted < estimate.asked else ""
    return f"{100 * estimate.value:.1f}{mark}"


def _missing_note(row: TaskScores) -> str:
    parts = [
        f"{estimate.metric} is over {estimate.counted} of {estimate.asked} problems, "
        f"bounds {100 * estimate.lower_bound:.1f} to {100 * estimate.upper_bound:.1f}"
        for estimate in row.estimates
    ]
    return (
        f"* {row.model}, {row.task}: {row.missing} of {row.dialogues} dialogues are missing "
        f"(not counted as wrong): {'; '.join(parts)}."
    )


def _early_note(row: TaskScores) -> str:
    return (
        f"{row.model}, {row.task}: in {row.ended_early} of {row.dialogues} dialogues the recorded answers end "
        "before the turn limit; the last one is the submission."
    )
