"""What a run was asked to do, as its user set it."""

from dataclasses import dataclass

from turnwise.records.prompt_names import DEFAULT_FEEDBACK, prompts_name


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """One turn: reasoning prompts, an instruction (or ""), and the kind of feedback that opens it.

    With ``stops`` the dialogue ends after this turn if its program passes the public tests.
    """

    reasoning: tuple[str, ...] = ()
    instruction: str = ""
    feedback: str = DEFAULT_FEEDBACK
    stops: bool = True

    @property
    def name(self) -> str:
        """Its prompts as the grid names them, such as ``self_reflection+weak_then_better``."""
        return prompts_name(self.reasoning, self.instruction)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the model is asked to sample; None leaves a field to the model's server."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
