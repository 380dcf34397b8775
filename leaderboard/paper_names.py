"""What a run is called in the papers' tables: its model, task, prompts and feedback, as its settings have them.

Settings that a run does not have are ``none``. Makes no table.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from turnwise.errors import TurnwiseError
from turnwise.leaderboard.tables import ScoredTask
from turnwise.records.prompt_names import NONE
from turnwise.texts import printable

_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s?B(?![a-z])", re.IGNORECASE)


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
    return printable(one.run.model, limit=80)


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
