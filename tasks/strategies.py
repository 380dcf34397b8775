"""Strategies: what each turn of a dialogue asks for, as plain values.

>>> multi_turn(3).turns[1].feedback
'failed_tests'

A turn without reasoning is one call to the model; with reasoning it is two, of which only the second is
asked for the program. The ids name prompts of the set (reasoning/<id>, instruction/<id>, feedback/<id>).
"""

from dataclasses import dataclass

from turnwise.errors import TurnwiseError

FEEDBACK_KINDS = ("binary", "failed_tests", "failed_and_passed")
DEFAULT_FEEDBACK = "failed_tests"


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """One turn: reasoning prompts, an instruction (or ""), and the kind of feedback that opens it."""

    reasoning: tuple[str, ...] = ()
    instruction: str = ""
    feedback: str = DEFAULT_FEEDBACK


@dataclass(frozen=True, slots=True)
class Strategy:
    """A named sequence of turns; the dialogue ends early when a program passes the public tests."""

    name: str
    turns: tuple[TurnPlan, ...]


def single_turn() -> Strategy:
    """Return the strategy of one turn."""
    return Strategy("single_turn", (TurnPlan(),))


def multi_turn(max_turns: int, *, feedback: str = DEFAULT_FEEDBACK) -> Strategy:
    """Return up to ``max_turns`` turns with ``feedback`` between them; raises TurnwiseError for unknown values."""
    if max_turns < 1:
        raise TurnwiseError(f"max_turns is {max_turns}: a dialogue has at least 1 turn.")
    if feedback not in FEEDBACK_KINDS:
        raise TurnwiseError(f"Unknown feedback {feedback!r}: choose one of {', '.join(FEEDBACK_KINDS)}.")
    return Strategy("multi_turn", (TurnPlan(feedback=feedback),) * max_turns)
