"""Settings as users give them by name, in options or in Python, checked before any work."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, create_model

from turnwise.benchmarks.checkers.checker_sets import load_checkers
from turnwise.benchmarks.matching import check_matcher
from turnwise.errors import TurnwiseError
from turnwise.records.settings import (
    DEFAULT_OWN_SOLUTIONS,
    LAST_BLOCK_INSTRUCTIONS,
    MOST_TURNS,
    Option,
    RunConfig,
)
from turnwise.runners.models.back_end import validated
from turnwise.tasks.catalog import Task
from turnwise.tasks.extraction import LAST_EXTRACTIONS, check_extraction
from turnwise.tasks.plan import metrics_of, strategy_of
from turnwise.tasks.strategies import Strategy, is_strategy_file, parse_instruction, parse_reasoning, read_strategy
from turnwise.texts import encodable, shown


def given_settings(
    options: Mapping[str, Option], data: Mapping[str, object], option: str, *, strict: bool = False
) -> dict[str, Any]:
    """Return the settings that ``data`` gives by the names of ``options``; null leaves one as it is.

    Raises TurnwiseError naming the option, the key and its value.
    """
    types: dict[str, Any] = {
        name: (Annotated[one.given, Field(**one.bounds)] | None, None) for name, one in options.items()
    }
    model = create_model("Given", __config__=ConfigDict(extra="forbid", strict=strict), **types)
    given = validated(model, data, option).model_dump(exclude_none=True)
    return {options[name].setting: options[name].to_setting(value) for name, value in given.items()}


def with_prompts(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``given`` with strategy, reasoning and instruction as RunSettings has them.

    Raises TurnwiseError for a strategy file that cannot be read, or prompts beside one.
    """
    found = dict(given)
    if "reasoning" in found:
        found["reasoning"] = parse_reasoning(found["reasoning"])
    if "instruction" in found:
        found["instruction"] = parse_instruction(found["instruction"])
    name = found.get("strategy", "")
    if is_strategy_file(name):
        strategy = read_strategy(Path(name))
        for other in ("reasoning", "instruction", "feedback"):
            if found.get(other):
                raise TurnwiseError(f"The strategy file {name!r} says what each turn asks: leave out {other}.")
        found |= {"strategy": strategy.name, "turns": strategy.turns}
    return found


def check_settings(config: RunConfig, chosen: Sequence[Task], *, metrics_given: bool = False) -> None:
    """Raise TurnwiseError for the first setting that cannot be, or does not go with the tasks ``chosen``."""
    settings = config.settings
    check_limit(settings.limit)
    check_time_factor(config.judge.time_factor)
    check_matcher(config.judge.matcher)
    load_checkers(config.judge.answers)  # raises for what is none
    if encodable(settings.system_instruction) != settings.system_instruction:
        raise TurnwiseError(
            f"--system_instruction {shown(settings.system_instruction)} holds what UTF-8 cannot: write it in UTF-8."
        )
    check_extraction(settings.extraction)
    if (settings.max_turns or 1) > MOST_TURNS:
        raise TurnwiseError(f"max_turns is {shown(settings.max_turns)}: give {MOST_TURNS} at most.")
    for task in chosen:
        _check_strategy(strategy_of(settings, task), settings.extraction)
    if metrics_given:
        for task in chosen:
            metrics_of(settings, task)
    if settings.own_solutions != DEFAULT_OWN_SOLUTIONS and not any(task.is_training for task in chosen):
        raise TurnwiseError(
            f"own_solutions is {settings.own_solutions}, which serves training tasks alone: choose one, or leave it "
            "out."
        )
    for name in settings.samples:
        if name not in {task.name for task in chosen}:
            raise TurnwiseError(f"--samples names the task {name!r}, which --tasks does not: add it there.")


def _check_strategy(strategy: Strategy, extraction: str) -> None:
    for turn in strategy.turns:
        if turn.instruction in LAST_BLOCK_INSTRUCTIONS and extraction not in LAST_EXTRACTIONS:
            raise TurnwiseError(
                f"The instruction {turn.instruction} asks for two programs and the last is the answer, but extraction "
                f"is {extraction!r}: set it to {' or '.join(LAST_EXTRACTIONS)}, or choose another instruction."
            )


def check_time_factor(time_factor: float) -> None:
    """Raise TurnwiseError unless ``time_factor`` can multiply a limit."""
    if not 0 < time_factor < math.inf:
        raise TurnwiseError(f"--time-factor is {time_factor:g}: give a number above 0.")


def check_limit(limit: float | None) -> None:
    """Raise TurnwiseError unless ``limit`` can be a number of problems, or a fraction of them."""
    if limit is not None and not 0 < limit < math.inf:
        raise TurnwiseError(f"--limit is {limit:g}: give a number of problems, or a fraction above 0.")
