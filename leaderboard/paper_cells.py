"""The cells of the papers' tables: which run set them, what it is called in them, and the estimates that stand in them.

A key names the cell: the parts that name its row, then its column. Model, task, prompts and feedback of a run are
called as its settings have them, ``none`` where it has none. Which cells a table has is decided there.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from turnwise.errors import TurnwiseError
from turnwise.leaderboard.formats import Table
from turnwise.leaderboard.scores import ALL, Estimate
from turnwise.leaderboard.tables import ScoredTask, notes, odd_mark
from turnwise.records.metrics import NAtK
from turnwise.records.settings import NONE
from turnwise.texts import printable

Cells = dict[tuple[str, ...], tuple[ScoredTask, str]]
_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s?B(?![a-z])", re.IGNORECASE)


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


def those(scored: Sequence[ScoredTask], wanted: Callable[[ScoredTask], bool], kind: str, what: str) -> list[ScoredTask]:
    """Return the tasks that a table is of; raises TurnwiseError where there is none."""
    found = [one for one in scored if wanted(one)]
    if not found:
        raise TurnwiseError(f"--table {kind} needs a run of {what}, and none of those named is one: name another run.")
    return found


def known_first(order: Sequence[str], there: Iterable[str]) -> list[str]:
    """Return the names in their usual order, then those that are there besides."""
    return [*order, *sorted(set(there) - set(order))]


def model_of(one: ScoredTask) -> str:
    """Return the model's name."""
    return one.run.label


def name_of(one: ScoredTask) -> tuple[str, str]:
    """Return the names of model, with its temperature, and task."""
    return model_of(one) + at_temperature(one), one.outcomes.record.task


def at_temperature(one: ScoredTask) -> str:
    """Return what tells the runs of one model apart that were sampled at several temperatures."""
    temperature = one.run.record.settings.sampling.temperature
    return "" if temperature is None else f" (T={temperature:g})"


def family_of(one: ScoredTask) -> str:
    """Return the benchmark without the mark of the bundled sample."""
    return one.outcomes.record.benchmark.removeprefix("sample_")


def reasoning_of(one: ScoredTask) -> str:
    """Return the reasoning prompts of a run, joined where there are several; a strategy of the user's has its name."""
    given = one.run.record.settings.reasoning or (NONE,)
    if one.run.record.settings.turns:
        given = (one.outcomes.record.strategy,)
    return printable(" + ".join(given), limit=80)


def instruction_of(one: ScoredTask) -> str:
    """Return the instruction prompt of a run, none where it has none."""
    return printable(str(one.run.record.settings.instruction or NONE), limit=80)


def feedback_of(one: ScoredTask) -> str:
    """Return the kind of feedback of a run."""
    return printable(str(one.run.record.settings.feedback), limit=80)


def prompts_of(one: ScoredTask) -> str:
    """Return the prompts of a run, joined, after the strategy where that says more than they do."""
    used = [part for part in (reasoning_of(one), instruction_of(one)) if part != NONE]
    strategy = one.outcomes.record.strategy
    if strategy in ("cot_every_turn", "cot_retry"):
        used.insert(0, strategy)
    return " + ".join(used) or NONE


def size_of(model: str) -> float | None:
    """Return the billions of parameters that a model's name says (Llama-3-8B-Instruct), None where it says none."""
    match = _SIZE.search(model.replace("-", " ").replace("_", " "))
    return float(match[1]) if match else None
