"""Strategies: what each turn of a dialogue asks for, as plain values.

>>> build_strategy("cot", max_turns=3, reasoning=("self_reflection",)).turns[0].reasoning
('self_reflection',)

    single_turn      one turn
    multi_turn       turns with feedback between them
    cot              multi_turn, with reasoning and instruction in turn 1
    cot_every_turn   multi_turn, with reasoning and instruction in every turn
    cot_retry        turn 1 plain, turn 2 by guidelines, from turn 3 on a naive solution in words first

A turn without reasoning is one call to the model; with reasoning it is two, of which only the second is
asked for the program. The ids name prompts of the set (reasoning/<id>, instruction/<id>, feedback/<id>). The
kinds of prompts, and what cot_retry does, are those of arXiv 2410.08105; the wording is not.

A user's own strategy comes from a yaml file, which says for each turn its reasoning, instruction, feedback and stop
rule (docs/strategies.md). What the ids name is checked against the prompts of the run.

    name: think_then_fix
    turns:
      - reasoning: self_reflection
      - feedback: failed_tests
        instruction: guidelines
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from turnwise.benchmarks.mappings import read_mapping
from turnwise.errors import TurnwiseError
from turnwise.records.codec import first_mistake
from turnwise.records.settings import DEFAULT_FEEDBACK, FEEDBACK_KINDS, GUIDELINES, NONE, TurnPlan
from turnwise.texts import shown

STRATEGIES = ("single_turn", "multi_turn", "cot", "cot_every_turn", "cot_retry")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_ENDINGS = (".yaml", ".yml")
_EXAMPLE = "write 'turns:' and below it one '- feedback: failed_tests' for each turn"


@dataclass(frozen=True, slots=True)
class Strategy:
    """A named sequence of turns; the dialogue ends early when a program passes the public tests."""

    name: str
    turns: tuple[TurnPlan, ...]

    def with_turns(self, number: int) -> "Strategy":
        """Return the strategy with ``number`` turns: cut, or with its last turn again and again."""
        if number < 1:
            raise TurnwiseError(f"max_turns is {number}: a dialogue has at least 1 turn.")
        more = (self.turns[-1],) * (number - len(self.turns))
        return replace(self, turns=(*self.turns, *more)[:number])

    @property
    def prompt_ids(self) -> frozenset[str]:
        """The prompts it names, besides those that every dialogue has."""
        found = {f"reasoning/{one}" for turn in self.turns for one in turn.reasoning}
        found |= {f"instruction/{turn.instruction}" for turn in self.turns if turn.instruction}
        kinds = {turn.feedback for turn in self.turns[1:]}
        kinds |= {"failed_tests"} if "ldb" in kinds else set()  # where a trace is lost
        return frozenset(found | {f"feedback/{kind}" for kind in kinds})

    @property
    def uses_random_feedback(self) -> bool:
        """Whether a turn is told of another problem's program."""
        return any(turn.feedback == "random" for turn in self.turns[1:])


def multi_turn(max_turns: int, *, feedback: str = DEFAULT_FEEDBACK) -> Strategy:
    """Return up to ``max_turns`` turns with ``feedback`` between them; raises TurnwiseError for unknown values.

    With feedback ``none`` there are always as many turns (arXiv 2410.02089): nothing tells of a success.
    """
    turn = TurnPlan(feedback=check_feedback(feedback), stops=feedback != NONE)
    return Strategy("multi_turn", (turn,)).with_turns(max_turns)


def build_strategy(
    name: str = "",
    *,
    max_turns: int,
    reasoning: Sequence[str] = (),
    instruction: str = "",
    feedback: str = DEFAULT_FEEDBACK,
) -> Strategy:
    """Return the strategy called ``name``, or without a name the one that the other values mean.

    Raises TurnwiseError for an unknown name or feedback, or prompts where the strategy has none of its user's.
    """
    has_prompts = bool(reasoning or instruction)
    if not name:
        name = "cot" if has_prompts else "single_turn" if max_turns == 1 else "multi_turn"
    if name not in STRATEGIES:
        raise TurnwiseError(f"Unknown strategy {name!r}: choose one of {', '.join(STRATEGIES)}, or a yaml file.")
    if has_prompts and not name.startswith("cot_every") and name != "cot":
        raise TurnwiseError(
            f"The strategy {name} takes no reasoning or instruction: choose cot or cot_every_turn, or leave them out."
        )
    if not has_prompts and name in ("cot", "cot_every_turn"):
        raise TurnwiseError(f"The strategy {name} needs a reasoning or an instruction: name one, or choose multi_turn.")
    plain = multi_turn(max_turns if name != "single_turn" else 1, feedback=feedback)
    thinking = replace(plain.turns[0], reasoning=tuple(reasoning), instruction=instruction)
    if name == "cot":
        return Strategy(name, (thinking, *plain.turns[1:]))
    if name == "cot_every_turn":
        return Strategy(name, (thinking,) * len(plain.turns))
    if name == "cot_retry":
        return _cot_retry(plain)
    return replace(plain, name=name)


def _cot_retry(plain: Strategy) -> Strategy:
    first = plain.turns[0]
    second, third = replace(first, instruction=GUIDELINES), replace(first, reasoning=("natural_language_solution",))
    return Strategy("cot_retry", (first, second, third)).with_turns(len(plain.turns))


def check_feedback(feedback: str) -> str:
    """Return ``feedback`` if there is such a kind, else raise TurnwiseError."""
    if feedback not in FEEDBACK_KINDS:
        raise TurnwiseError(f"Unknown feedback {feedback!r}: choose one of {', '.join(FEEDBACK_KINDS)}.")
    return feedback


def parse_reasoning(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the ids of ``a+b``, a list, or none of them."""
    parts = given.split("+") if isinstance(given, str) else list(given or ())
    return tuple(part.strip() for part in parts if part.strip() not in ("", NONE))


def parse_instruction(given: str | None) -> str:
    """Return the id, "" for none."""
    return "" if given in (None, NONE) else str(given).strip()


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
    return text.lower().endswith(_ENDINGS) or "/" in text


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
