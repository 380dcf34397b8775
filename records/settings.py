"""What a run was asked to do, as its user set it: from the options of a command to run.json and to every reader of it.

A setting is a field here: run.json holds it under its name, in this order, and whoever reads a run has it typed. One
that is ``if_set`` stands in run.json only where it differs from its default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from turnwise.records.codec import if_set
from turnwise.records.prompt_names import DEFAULT_FEEDBACK, prompts_name

DEFAULT_EXTRACTION = "last_program"
DEFAULT_MATCHER = "tokens"
# Changes when another program may be found in the same reply (tasks/extraction.py).
EXTRACTION_VERSION = 1

OnError = Literal["raise", "skip"]


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
    """How the model is asked to sample; None leaves a field to the model's server.

    ``others`` are what lm_eval told its model besides, by lm_eval's names.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    others: Mapping[str, Any] = if_set(dict)

    def told(self) -> dict[str, Any]:
        """Return by name what the model was told: no field that was left to its server."""
        data = {name: getattr(self, name) for name in self.__slots__ if name != "others"}
        data["stop"] = list(self.stop)
        return {**{name: value for name, value in data.items() if value not in (None, [])}, **self.others}


@dataclass(frozen=True, slots=True)
class DecoySource:
    """Where the programs of the feedback random came from: how many, to how many problems, and their digest."""

    source: str
    problems: int
    programs: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What decides the dialogues of a run, besides the model and the prompts.

    ``samples`` names, by task, the problems to ask (numbers among the scorable ones, or ids); ``n_at_k`` the pass
    n@k to report beside the turn budgets. ``turns`` are those of a strategy of the user's own, called ``strategy``;
    else that is a known one, or "" for what task, reasoning and instruction mean. ``decoys`` are those of each task;
    ``chat_template`` and ``seeds_sent`` say of a run of lm_eval what it did.
    """

    profile: str = "default"
    samples_per_problem: int = 1
    seed: int = 0
    strategy: str = ""
    turns: tuple[TurnPlan, ...] = ()
    reasoning: tuple[str, ...] = ()
    instruction: str = ""
    feedback: str = DEFAULT_FEEDBACK
    keep_reasoning: bool = True
    extraction: str = DEFAULT_EXTRACTION
    prefill: bool = False
    system_instruction: str = ""
    max_turns: int | None = None
    n_at_k: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    limit: float | None = None
    samples: Mapping[str, tuple[int | str, ...]] = field(default_factory=dict)
    on_error: OnError = "raise"
    strict_context: bool = if_set(False)
    extraction_version: int = EXTRACTION_VERSION
    decoys: Mapping[str, DecoySource] = if_set(dict)
    chat_template: bool | None = if_set(None)
    seeds_sent: bool | None = if_set(None)


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """What decides the verdicts of a run, besides the machine.

    ``interpreter`` is the Python that runs programs; with ``stub_imports`` those of HumanEval+ find the imports and
    helper functions of their stub.
    """

    matcher: str = DEFAULT_MATCHER
    time_factor: float = 1.0
    interpreter: str = ""
    stub_imports: bool = False


@dataclass(frozen=True, slots=True)
class RunConfig:
    """All settings of a run."""

    settings: RunSettings = field(default_factory=RunSettings)
    judge: JudgeSettings = field(default_factory=JudgeSettings)


@dataclass(frozen=True, slots=True)
class JudgeRecord:
    """Who judged, and how: of another tool's judge only ``executor``, its name, is known.

    ``judged_anew``: another judge than the one that gave the feedback judged every program.
    """

    executor: str
    interpreter: str
    matcher: str
    time_factor: float
    stub_imports: bool = if_set(False)
    judged_anew: bool = if_set(False)


@dataclass(frozen=True, slots=True)
class PromptsRecord:
    """The name of a set of prompts, and the hash of each."""

    set: str
    hashes: Mapping[str, str]
