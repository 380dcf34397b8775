"""A user's own strategy, from a yaml file: for each turn its reasoning, instruction, feedback and stop rule.

    name: think_then_fix
    turns:
      - reasoning: self_reflection
      - feedback: failed_tests
        instruction: guidelines

See docs/strategies.md. What the ids name is checked against the prompts of the run.
"""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from turnwise.benchmarks.mappings import read_mapping
from turnwise.errors import TurnwiseError
from turnwise.records.codec import first_mistake
from turnwise.records.settings import DEFAULT_FEEDBACK, NONE, TurnPlan
from turnwise.tasks.strategies import Strategy, check_feedback, parse_instruction, parse_reasoning
from turnwise.texts import shown

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
ENDINGS = (".yaml", ".yml")
_EXAMPLE = "write 'turns:' and below it one '- feedback: failed_tests' for each turn"


class _Turn(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    reasoning: str | list[str] | None = None
    instruction: str | None = None
    feedback: str | None = None
    stop: Literal["public_passed", "never"] | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str | None = None
    turns: Annotated[list[_Turn], Field(min_length=1, max_length=100)]


def is_strategy_file(text: str) -> bool:
    """Return whether ``--strategy`` names a file instead of a strategy."""
    return text.lower().endswith(ENDINGS) or "/" in text


def read_strategy(path: Path) -> Strategy:
    """Return the strategy in a yaml file; its name is the file's unless it says another.

    Raises TurnwiseError, naming the file and the turn, for whatever it cannot be.
    """
    data = read_mapping(path, "The strategy file", otherwise="holds no turns", remedy=_EXAMPLE)
    try:
        parsed = _File.model_validate(data)
    except ValidationError as error:
        raise TurnwiseError(f"The strategy file {str(path)!r}: {_first_problem(error)}.") from None
    _check_turns(path, parsed)
    name = parsed.name or path.stem
    if not _NAME.fullmatch(name):
        raise TurnwiseError(
            f"The strategy file {str(path)!r}: name is {shown(name)}: it names folders, so give it up to 40 letters, "
            "digits, '_', '-' and '.', the first a letter or digit."
        )
    never = any(turn.feedback == NONE for turn in parsed.turns)
    return Strategy(name, tuple(_plan(turn, stops=not never) for turn in parsed.turns))


def _check_turns(path: Path, parsed: _File) -> None:
    if parsed.turns[0].feedback is not None:
        raise TurnwiseError(
            f"The strategy file {str(path)!r}: turn 1 has the feedback {shown(parsed.turns[0].feedback)}, but no "
            "program has run before it: leave it out."
        )
    for number, turn in enumerate(parsed.turns, 1):
        try:
            check_feedback(turn.feedback or DEFAULT_FEEDBACK)
        except TurnwiseError as error:
            raise TurnwiseError(f"The strategy file {str(path)!r}, turn {number}: {error}") from None


def _plan(turn: _Turn, *, stops: bool) -> TurnPlan:
    return TurnPlan(
        parse_reasoning(turn.reasoning),
        parse_instruction(turn.instruction),
        turn.feedback or DEFAULT_FEEDBACK,
        stops if turn.stop is None else turn.stop == "public_passed",
    )


def _first_problem(error: ValidationError) -> str:
    mistake = first_mistake(error)
    place = mistake.place
    where = f"turn {place[1] + 1}, " if len(place) > 1 and isinstance(place[1], int) else ""
    name = next((str(one) for one in reversed(place) if isinstance(one, str) and one not in ("str", "list[str]")), "")
    if mistake.kind == "extra_forbidden":
        known = _Turn.model_fields if where else _File.model_fields
        return f"{where}{shown(name)} is unknown: the keys are {', '.join(known)}"
    if mistake.kind == "missing":
        return f"{name!r} is missing: {_EXAMPLE}"
    return f"{where}{name} is {shown(mistake.value)}: {mistake.reason[0].lower()}{mistake.reason[1:]}"
