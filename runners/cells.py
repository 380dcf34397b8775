"""The cells of a grid: which combinations of prompts, strategies, feedback, temperatures and turn limits are run.

>>> [cell.name for cell in plan_cells(RunSettings(), Axes(cells="difficulty+*s"), PromptSet.load())]
['difficulty+helper_functions', 'difficulty+line_comments', 'difficulty+docstrings']

A cell is named by its prompts, or by a strategy that brings its own, and by its value on each axis that was given.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.records.settings import INSTRUCTIONS, NONE, REASONING, RunSettings, prompts_name
from turnwise.runners.grid import Cell
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import parse_instruction, parse_reasoning

_INSTRUCTIONS = (NONE, *INSTRUCTIONS)
_OWN_PROMPTS = ("single_turn", "multi_turn", "cot_retry")


@dataclass(frozen=True, slots=True)
class Axes:
    """What a grid runs over; an empty axis leaves its setting as it is.

    ``cells`` are names or globs of prompts (``self_reflection+*,none+none``), separated by commas; ``strategies`` the
    settings of each strategy by its name, {} for what the prompts mean.
    """

    cells: str = "*"
    strategies: Mapping[str, Mapping[str, Any]] | None = None
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


def _combinations(axes: Axes) -> Iterator[dict[str, Any]]:
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
