"""What a grid shows: a table of its cells, the best combination chosen without flattery, the data of a heat map.

The best of many cells is best by luck, too: on the problems it was chosen on its score is too high. So it is chosen
on the valid split where that was run, else on one half of the problems for the other, and reported on what it was
not chosen on. The best in-sample is shown beside it under that name. Cells are compared on the problems that all of
them know, so that none gains by what it lacks. Nothing here reads a file.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from turnwise.errors import TurnwiseError
from turnwise.json_text import json_text
from turnwise.leaderboard.estimators import Booleans, Floats
from turnwise.leaderboard.formats import Table
from turnwise.leaderboard.paper_cells import find_estimate
from turnwise.leaderboard.scores import estimate_document, metrics_of, values_of
from turnwise.leaderboard.tables import ScoredTask, notes, odd_mark, percent
from turnwise.records.metrics import NAtK
from turnwise.texts import printable

PLAIN = "none+none"


@dataclass(frozen=True, slots=True)
class _Choice:
    """How a combination was chosen, on what it is reported, and the values there of the best and of the plain cell.

    ``unknown`` counts the problems, of those chosen on and those reported on, that not every cell knows.
    """

    how: str
    best: ScoredTask
    there: float
    reported_on: str
    value: float
    plain: float | None
    unknown: int


def grid_tables(scored: Sequence[ScoredTask], *, metric: str = "") -> list[Table]:
    """Return the cells with their scores, and the best combination of each task.

    ``metric`` chooses the best: 1@T for T turns unless given. Raises TurnwiseError if a run has no such metric.
    """
    return [_cells_table(scored), *_best_tables(scored, metric)]


def heat_map(scored: Sequence[ScoredTask], *, metric: str = "") -> str:
    """Return a JSON document: a row for each cell and task with its place on every axis, and its estimate."""
    rows = []
    for one in scored:
        name = metric or default_metric(one)
        estimate = find_estimate(one, name)
        rows.append({**_place(one), "metric": name, **({} if estimate is None else estimate_document(estimate))})
    return json_text({"format": 1, "cells": rows}, indent=1, ensure_ascii=False)


def default_metric(one: ScoredTask) -> str:
    """Return what the best is chosen by: 1@T for several turns, pass@1 for one."""
    turns = one.outcomes.record.max_turns
    return str(NAtK(1, turns)) if turns > 1 else "pass@1"


def _place(one: ScoredTask) -> dict[str, object]:
    settings, record = one.run.record.settings, one.outcomes.record
    return {
        "cell": one.run.path.name,
        "model": one.run.model,
        "task": record.task,
        "strategy": record.strategy,
        "reasoning": settings.reasoning or [],
        "instruction": settings.instruction or "",
        "feedback": settings.feedback,
        "temperature": settings.sampling.temperature,
        "max_turns": record.max_turns,
    }


def _cells_table(scored: Sequence[ScoredTask]) -> Table:
    metrics = sorted({estimate.metric: None for one in scored for estimate in one.estimates}, key=_metric_order)
    rows = []
    for one in scored:
        cells = [percent(find_estimate(one, metric)) for metric in metrics]
        calls = str(one.outcomes.costs.model_calls)
        rows.append((one.run.path.name, one.outcomes.record.task + odd_mark(one), *cells, calls))
    return Table(("cell", "task", *metrics, "calls"), tuple(rows), 2, "Cells, percent solved", tuple(notes(scored)))


def _metric_order(name: str) -> tuple[bool, int]:
    """Return the order of a table's columns: n@k, then pass@k, small k first."""
    return name.startswith("pass@"), int(name.partition("@")[2])


def _best_tables(scored: Sequence[ScoredTask], metric: str) -> list[Table]:
    choices: list[_Choice] = []
    for cells in _by_task(scored).values():
        if len(cells) > 1:
            choices += _choices(cells, scored, metric)
    if not choices:
        return []
    rows = [_row(choice) for choice in choices]
    headers = ("task", "metric", "chosen on", "combination", "there", "reported on", "solved", PLAIN, "gain")
    rows = [(row[0], metric or row[1], *row[2:]) for row in rows]
    title = "The best combination, percent solved; in-sample means chosen on what it is reported on, which is too high"
    return [Table(headers, tuple(rows), 4, title, tuple(dict.fromkeys(_unknown_notes(choices))))]


def _unknown_notes(choices: Sequence[_Choice]) -> Iterator[str]:
    for one in choices:
        if one.unknown:
            yield (
                f"{one.best.outcomes.record.task}, {one.how}: {one.unknown} problems are left out, since dialogues "
                "about them are missing in some cells."
            )


def _by_task(scored: Sequence[ScoredTask]) -> dict[tuple[str, str, int], list[ScoredTask]]:
    """Return the cells that can be compared: of one model, task and turn limit."""
    found: dict[tuple[str, str, int], list[ScoredTask]] = {}
    for one in scored:
        record = one.outcomes.record
        found.setdefault((one.run.model, record.task, record.max_turns), []).append(one)
    return found


def _choices(cells: Sequence[ScoredTask], scored: Sequence[ScoredTask], metric: str) -> list[_Choice]:
    whole = np.ones(len(cells[0].outcomes.problems), dtype=bool)
    found = [_choose("in-sample", cells, cells, metric, whole, whole, "the same problems")]
    valid = _valid_twins(cells, scored)
    if valid is not None:
        everything = np.ones(len(valid[0].outcomes.problems), dtype=bool)
        found.insert(0, _choose("valid", valid, cells, metric, everything, whole, cells[0].outcomes.record.split))
    elif cells[0].outcomes.record.split != "valid":
        half = np.array([_is_first_half(problem.id) for problem in cells[0].outcomes.problems])
        if 0 < half.sum() < len(half):
            found.insert(0, _choose("half A", cells, cells, metric, half, ~half, "half B"))
            found.insert(1, _choose("half B", cells, cells, metric, ~half, half, "half A"))
    return [choice for choice in found if choice is not None]


def _valid_twins(cells: Sequence[ScoredTask], scored: Sequence[ScoredTask]) -> list[ScoredTask] | None:
    """Return the same runs' results on the valid split of the benchmark, if all of them have some."""
    record = cells[0].outcomes.record
    if record.split == "valid":
        return None
    twins = {
        one.run.path: one
        for one in scored
        if one.outcomes.record.split == "valid"
        and one.outcomes.record.benchmark == record.benchmark
        and one.outcomes.record.max_turns == cells[0].outcomes.record.max_turns
    }
    return [twins[one.run.path] for one in cells] if all(one.run.path in twins for one in cells) else None


def _choose(
    how: str,
    judges: Sequence[ScoredTask],
    cells: Sequence[ScoredTask],
    metric: str,
    there: Booleans,
    here: Booleans,
    reported_on: str,
) -> _Choice | None:
    """Choose among ``cells`` by the means of ``judges`` over ``there``, and report the chosen one's over ``here``."""
    chosen_on, reported = [_values(one, metric) for one in judges], [_values(one, metric) for one in cells]
    there_known, here_known = _known_by_all(chosen_on, there), _known_by_all(reported, here)
    means = [_mean(values, there_known) for values in chosen_on]
    known = [(mean, -number) for number, mean in enumerate(means) if mean is not None]
    if not known:
        return None
    mean, number = max(known)
    value = _mean(reported[-number], here_known)
    plain = _plain_like(cells[-number], cells)
    without = None if plain is None else _mean(_values(plain, metric), here_known)
    unknown = int((there & ~there_known).sum())
    if judges is not cells or not np.array_equal(there, here):
        unknown += int((here & ~here_known).sum())
    return None if value is None else _Choice(how, cells[-number], mean, reported_on, value, without, unknown)


def _known_by_all(values: Sequence[Floats], wanted: Booleans) -> Booleans:
    """Return which of the ``wanted`` problems every cell knows; a cell that knows none of them has no say."""
    known = wanted.copy()
    for one in values:
        is_known = ~np.isnan(one)
        if is_known[wanted].any():
            known &= is_known
    return known


def _values(one: ScoredTask, metric: str) -> Floats:
    """Return the metric of each problem, NaN where it is not known."""
    name = metric or default_metric(one)
    turns = one.outcomes.record.max_turns
    wanted = [found for found in metrics_of(one.outcomes, n_at_k=one.n_at_k) if found.name == name]
    found = next((each for each in wanted if each.is_whole(turns)), None)
    if found is None:
        raise TurnwiseError(f"--metric is {name!r}, which {str(one.run.path)!r} has not: choose one of its table.")
    return values_of(one.outcomes, found)


def _mean(values: Floats, rows: Booleans) -> float | None:
    """Return the mean over ``rows``, None where one of them is not known, or there is none."""
    chosen = values[rows]
    return None if not len(chosen) or np.isnan(chosen).any() else float(chosen.mean())


def _plain_like(best: ScoredTask, cells: Sequence[ScoredTask]) -> ScoredTask | None:
    """Return the cell without prompts that is otherwise as ``best``, else the first without prompts, or None."""
    plain = [one for one in cells if one.outcomes.record.strategy in ("single_turn", "multi_turn")]
    alike = [one for one in plain if _rest(one) == _rest(best)]
    return next(iter([*alike, *plain]), None)


def _rest(one: ScoredTask) -> tuple[object, ...]:
    settings = one.run.record.settings
    return settings.feedback, settings.sampling.temperature


def _is_first_half(problem_id: str) -> bool:
    """Return in which half of the problems this one always is."""
    return hashlib.sha256(problem_id.encode()).digest()[0] % 2 == 0


def _row(choice: _Choice) -> tuple[str, ...]:
    best = choice.best
    gain = "" if choice.plain is None else f"{100 * (choice.value - choice.plain):+.1f}"
    return (
        best.outcomes.record.task,
        default_metric(best),
        choice.how,
        printable(best.run.path.name, limit=120) + odd_mark(best),
        f"{100 * choice.there:.1f}",
        choice.reported_on,
        f"{100 * choice.value:.1f}",
        "" if choice.plain is None else f"{100 * choice.plain:.1f}",
        gain,
    )
