"""A grid: many runs that differ in prompts, strategy, feedback, temperature or turn limit, in one experiment folder.

    <experiment>/<cell>/            a run folder as any other
    <experiment>/<cell>/finished    there is nothing left to do in it, under these settings

One executor, one judge and its verdicts serve all cells, and no call is made twice: cells that begin alike share
their replies (store.py), and a cell that is finished is not opened again. The same line again goes on where the
last attempt ended. Nothing is scored here.

Which cells there are the axes say. A cell is named by its prompts, or by a strategy that brings its own, and by its
value on each axis that was given.

>>> [cell.name for cell in plan_cells(RunSettings(), Axes(cells="difficulty+*s"), PromptSet.load())]
['difficulty+helper_functions', 'difficulty+line_comments', 'difficulty+docstrings']
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.files import write_atomically
from turnwise.records.codec import to_line
from turnwise.records.run_folder import RunFolder, RunRecord
from turnwise.records.settings import INSTRUCTIONS, NONE, REASONING, JudgeSettings, RunSettings, TurnPlan, prompts_name
from turnwise.runners.event_loops import InterruptibleRunner
from turnwise.runners.loading import LoadedTask, Machine
from turnwise.runners.models.sampler import Model
from turnwise.runners.sampling import Job, Sampled, sample
from turnwise.runners.store import Donor
from turnwise.tasks.catalog import Task
from turnwise.tasks.decoys import DecoyPool
from turnwise.tasks.plan import strategy_of
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import Strategy, parse_instruction, parse_reasoning

_INSTRUCTIONS = (NONE, *INSTRUCTIONS)
_OWN_PROMPTS = ("single_turn", "multi_turn", "cot_retry")


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of the grid: its name, which is its folder's, and its settings."""

    name: str
    settings: RunSettings

    def opening(self, task: Task) -> tuple[TurnPlan, ...]:
        """Return what the dialogues of ``task`` ask, turn by turn; before turn 1 there is no feedback."""
        first, *others = strategy_of(self.settings, task).turns
        return (replace(first, feedback=""), *others)


@dataclass(frozen=True, slots=True)
class Axes:
    """What a grid runs over; an empty axis leaves its setting as it is.

    ``cells`` are names or globs of prompts (``self_reflection+*,none+none``), separated by commas; ``strategies`` the
    settings of each strategy by its name, {} for what the prompts mean.
    """

    cells: str = "*"
    strategies: Mapping[str, Mapping[str, object]] | None = None
    feedback: Sequence[str] = ()
    temperatures: Sequence[float] = ()
    max_turns: Sequence[int] = ()


def plan_cells(base: RunSettings, axes: Axes, prompts: PromptSet) -> list[Cell]:
    """Return the cells in their order; raises TurnwiseError for a name or glob that selects none."""
    chosen = choose_prompts(axes.cells, prompts)
    cells = []
    for name, settings in _with_prompts(base, axes.strategies or {"": {}}, chosen):
        for given in _combinations(axes):
            parts = [f"{key}={value}" for key, value in given.items()]
            cells.append(Cell(",".join([name, *parts]), _changed(settings, given)))
    return cells


def _combinations(axes: Axes) -> Iterator[dict[str, object]]:
    values = {"feedback": axes.feedback, "temperature": axes.temperatures, "max_turns": axes.max_turns}
    given = {key: list(several) for key, several in values.items() if several}
    return (dict(zip(given, one, strict=True)) for one in product(*given.values()))


def _changed(settings: RunSettings, given: Mapping[str, Any]) -> RunSettings:
    changes = dict(given)
    if "temperature" in changes:
        changes["sampling"] = replace(settings.sampling, temperature=changes.pop("temperature"))
    return replace(settings, **changes)


def choose_prompts(patterns: str, prompts: PromptSet) -> list[tuple[tuple[str, ...], str]]:
    """Return reasoning and instruction of the cells that names and globs select, in the grid's order."""
    pairs = [(parse_reasoning(one), parse_instruction(two)) for one, two in product((NONE, *REASONING), _INSTRUCTIONS)]
    grid = {prompts_name(*pair): pair for pair in pairs}
    found: dict[str, tuple[tuple[str, ...], str]] = {}
    for pattern in filter(None, (part.strip() for part in patterns.split(","))):
        names = [name for name in grid if fnmatchcase(name, pattern)]
        found |= {name: grid[name] for name in names}
        if not names:
            reasoning, _, instruction = pattern.rpartition("+")
            one = (parse_reasoning(reasoning), parse_instruction(instruction))
            if not reasoning or "*" in pattern or "?" in pattern:
                raise TurnwiseError(
                    f"--cells {pattern!r} selects none of the {len(grid)}: write REASONING+INSTRUCTION with reasoning "
                    f"{', '.join((NONE, *REASONING))} and instruction {', '.join(_INSTRUCTIONS)}, or globs."
                )
            prompts.check([*(f"reasoning/{part}" for part in one[0]), *([f"instruction/{one[1]}"] if one[1] else [])])
            found[prompts_name(*one)] = one
    if not found:
        raise TurnwiseError("--cells selects nothing: leave it out for all 63, or give names such as none+none.")
    order = {name: index for index, name in enumerate(grid)}
    return [found[name] for name in sorted(found, key=lambda name: (order.get(name, len(order)), name))]


def _with_prompts(
    base: RunSettings, strategies: Mapping[str, Mapping[str, Any]], chosen: Sequence[tuple[tuple[str, ...], str]]
) -> Iterator[tuple[str, RunSettings]]:
    """Yield names and settings: a strategy with prompts of its own is one cell, others one for each of ``chosen``."""
    for name, given in strategies.items():
        of_strategy = replace(base, **given)
        if name in _OWN_PROMPTS or of_strategy.turns:
            yield name, of_strategy
            continue
        for reasoning, instruction in chosen:
            start = f"{name}," if name else ""
            if reasoning or instruction:
                prompted = replace(of_strategy, reasoning=reasoning, instruction=instruction)
                yield start + prompts_name(reasoning, instruction), prompted
            else:
                yield start + prompts_name((), ""), replace(of_strategy, strategy="")


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells, and what they share; ``open_model`` is asked once, when a cell has work left.

    ``recorded_model`` gives the model of a folder's run without opening it, or None where that cannot be.
    """

    cells: Sequence[Cell]
    tasks: Sequence[LoadedTask]
    open_model: Callable[[RunSettings], Model]
    prompts: PromptSet
    decoys: Mapping[str, DecoyPool]
    command: str = ""
    recorded_model: Callable[[Path], Model | None] = lambda _: None
    judge: JudgeSettings = field(default_factory=JudgeSettings)


@dataclass(frozen=True, slots=True)
class RanCell:
    """How an attempt at a cell went; ``sampled`` is None where it was finished before."""

    cell: Cell
    sampled: Sampled | None


def run_grid(grid: Grid, machine: Machine, *, output: Path) -> Iterator[RanCell]:
    """Carry the cells to their ends, one after the other.

    Raises TurnwiseError if a cell's folder holds another run, is damaged, or another process works in it.
    """
    with (
        closing(machine.open_cache()) as cache,
        closing(machine.open_judge(grid.judge, cache)) as judge,
        closing(_Asking(grid)) as asking,
    ):
        for number, cell in enumerate(grid.cells):
            show = partial(_name_cell, machine, cell, number, len(grid.cells))
            ours = replace(machine, judge=judge, on_progress=show)
            yield RanCell(cell, _run_cell(grid, number, asking, ours, output))


class _Asking:
    """The one model of a grid, opened when it is first needed, and the event loop it lives in."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._model: Model | None = None
        self.runner = InterruptibleRunner()

    def model(self, settings: RunSettings) -> Model:
        """Return the model, asked as ``settings`` say."""
        if self._model is None:
            self._model = self._grid.open_model(settings)
        return self._model.with_sampling(settings.sampling)

    def close(self) -> None:
        """Let go of the model."""
        try:
            if self._model is not None:
                self.runner.run(self._model.close())
        finally:
            self.runner.close()


def _run_cell(grid: Grid, number: int, asking: _Asking, machine: Machine, output: Path) -> Sampled | None:
    cell = grid.cells[number]
    folder = output / cell.name
    marker = folder / "finished"
    digest = marker.read_text(encoding="ascii", errors="replace").strip() if marker.exists() else ""
    closed = grid.recorded_model(folder) if digest else None
    if closed is not None and _digest(_job(grid, cell, closed).to_record(machine)) == digest:
        return None
    job = _job(grid, cell, asking.model(cell.settings))
    record = job.to_record(machine)
    if _digest(record) == digest:
        return None
    donors = [output / other.name for other in donors_of(grid, number)]
    donor = next((Donor(RunFolder(path)) for path in donors if (path / "run.json").is_file()), None)
    sampled = sample(job, machine, output=folder, donor=donor, runner=asking.runner)
    if not sampled.missing and not sampled.unjudged:
        write_atomically(marker, _digest(record) + "\n")
    return sampled


def _job(grid: Grid, cell: Cell, model: Model) -> Job:
    return Job(grid.tasks, model, cell.settings, grid.prompts, grid.command, _used(grid, cell), grid.judge)


def donors_of(grid: Grid, number: int) -> list[Cell]:
    """Return the earlier cell that begins most like cell ``number``, if one has any call in common with it."""
    cell = grid.cells[number]
    tasks = [loaded.task for loaded in grid.tasks]
    shares = {
        index: max(shared_calls(cell.opening(task), other.opening(task)) for task in tasks)
        for index, other in enumerate(grid.cells[:number])
        if _asks_alike(cell.settings, other.settings)
    }
    best = max(shares, key=lambda index: (shares[index], -index), default=None)
    return [] if best is None or not shares[best] else [grid.cells[best]]


def shared_calls(here: Sequence[TurnPlan], there: Sequence[TurnPlan]) -> int:
    """Return how many calls two dialogues have in common if they get the same replies and never succeed."""
    count = 0
    for mine, other in zip(here, there, strict=False):
        if mine.feedback != other.feedback or mine.reasoning != other.reasoning:
            break
        if mine.instruction != other.instruction:
            return count + bool(mine.reasoning)  # the reasoning is asked before the instruction
        count += 1 + bool(mine.reasoning)
    return count


def distinct_cells(cells: Sequence[Cell], tasks: Sequence[Task]) -> list[Cell]:
    """Return the cells without those that ask what an earlier one asks: feedback has no say in one turn."""
    found: dict[object, Cell] = {}
    for cell in cells:
        asked = tuple(cell.opening(task) for task in tasks)
        found.setdefault((asked, cell.settings.sampling), cell)
    return list(found.values())


def _asks_alike(one: RunSettings, other: RunSettings) -> bool:
    return one.sampling == other.sampling and one.keep_reasoning == other.keep_reasoning


def _used(grid: Grid, cell: Cell) -> dict[str, DecoyPool]:
    strategies: dict[str, Strategy] = {one.task.name: strategy_of(cell.settings, one.task) for one in grid.tasks}
    return {name: pool for name, pool in grid.decoys.items() if strategies[name].uses_random_feedback}


def _digest(record: RunRecord) -> str:
    return hashlib.sha256(to_line(replace(record, command="")).encode()).hexdigest()


def _name_cell(machine: Machine, cell: Cell, number: int, cells: int, what: str, done: int, total: int) -> None:
    machine.report(f"{number + 1}/{cells} {cell.name}: {what}", done, total)
