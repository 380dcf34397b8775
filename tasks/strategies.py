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
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from turnwise.errors import TurnwiseError
from turnwise.records.settings import DEFAULT_FEEDBACK, FEEDBACK_KINDS, GUIDELINES, NONE, TurnPlan

STRATEGIES = ("single_turn", "multi_turn", "cot", "cot_every_turn", "cot_retry")


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


def single_turn() -> Strategy:
    """Return the strategy of one turn."""
    return Strategy("single_turn", (TurnPlan(),))


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
