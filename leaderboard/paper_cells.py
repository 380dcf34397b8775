"""The cells of the papers' tables: which run set them, and the estimates that stand in them.

A key names the cell: the parts that name its row, then its column. Which cells a table has is decided there, and
what a run is called in them by ``paper_names``.
"""

from collections.abc import Mapping, Sequence

from turnwise.errors import TurnwiseError
from turnwise.leaderboard.formats import Table
from turnwise.leaderboard.scores import ALL, Estimate
from turnwise.leaderboard.tables import ScoredTask, notes, odd_mark
from turnwise.records.metrics import NAtK

Cells = dict[tuple[str, ...], tuple[ScoredTask, str]]


def put(cells: Cells, key: tuple[str, ...], one: ScoredTask, text: str) -> None:
    """Set a cell, marked where its replies are odd, unless its text is empty.

    Raises TurnwiseError if another run has set it.
    """
    if not text:
        return
    if key in cells:
        raise TurnwiseError(
            f"{str(cells[key][0].run.path)!r} and {str(one.run.path)!r} are both {', '.join(key)}: name one of them."
        )
    cells[key] = (one, text + odd_mark(one))


def pivot(cells: Cells, headers: Sequence[str], columns: Sequence[str], title: str) -> Table:
    """Return the cells as a table: the last part of a key is the column, the others name the row."""
    names = list(dict.fromkeys(key[:-1] for key in cells))
    rows = tuple((*name, *(cell_of(cells, *name, column) for column in columns)) for name in names)
    return Table((*headers, *columns), rows, len(headers), title, notes_on(cells))


def cell_of(cells: Mapping[tuple[str, ...], tuple[ScoredTask, str]], *key: str) -> str:
    """Return the text of a cell, "" where no run has set it."""
    return cells[key][1] if key in cells else ""


def notes_on(*several: Cells) -> tuple[str, ...]:
    """Return the notes on the tasks that stand in the cells, each task once."""
    shown = {id(one): one for cells in several for one, _ in cells.values()}
    return tuple(notes(list(shown.values())))


def find_estimate(one: ScoredTask, metric: str, turns: int | None = None, *, group: str = ALL) -> Estimate | None:
    """Return an estimate at a budget of turns: the whole one unless given, k for n@k with k below it."""
    budget = one.outcomes.record.max_turns
    if turns is None:
        turns = budget if metric.startswith("pass@") else min(budget, int(metric.partition("@")[2]))
    wanted = (group, metric, turns)
    return next((found for found in one.estimates if (found.group, found.metric, found.turns) == wanted), None)


def value_of(one: ScoredTask, metric: str) -> float | None:
    """Return the value of an estimate at the whole budget, None where there is none."""
    estimate = find_estimate(one, metric)
    return None if estimate is None else estimate.value


def passes_of(one: ScoredTask) -> list[str]:
    """Return the pass@k there are, smallest k first."""
    names = {estimate.metric for estimate in one.estimates if estimate.metric.startswith("pass@")}
    return sorted(names, key=lambda name: int(name.removeprefix("pass@")))


def asked_of(one: ScoredTask) -> list[str]:
    """Return the n@k asked for, small k first."""
    return [str(metric) for metric in sorted(one.n_at_k, key=lambda metric: (metric.k, metric.n))]


def n_at_k_of(one: ScoredTask) -> list[str]:
    """Return 1@T for the whole budget T, and the n@k asked for."""
    return list(dict.fromkeys([str(NAtK(1, one.outcomes.record.max_turns)), *asked_of(one)]))
