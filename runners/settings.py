"""What decides the result of a run besides the model: RunSettings, and the profiles that set them together.

A profile is a named set of settings; what the user gives besides it goes before it and is recorded too.
``zheng`` and ``rlef`` follow the two papers where they speak (arXiv 2410.08105 sections 3 and 4; 2410.02089
section 3 and appendix A); what they leave open is ours: the matcher is CodeContests' own in both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from turnwise.benchmarks.rows import OnError
from turnwise.errors import TurnwiseError
from turnwise.records.codec import to_json
from turnwise.records.metrics import NAtK, check_support, parse_n_at_k
from turnwise.records.prompt_names import DEFAULT_FEEDBACK
from turnwise.records.run_folder import STUB_IMPORTS
from turnwise.records.settings import Sampling, TurnPlan
from turnwise.tasks.catalog import Task
from turnwise.tasks.decoys import DecoyPool
from turnwise.tasks.dialogue import DialoguePlan
from turnwise.tasks.extraction import DEFAULT_EXTRACTION, EXTRACTION_VERSION
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import Strategy, build_strategy


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What decides the result of a run, besides the model and the prompts.

    All of it stands in run.json, what judges in its ``judge`` part. ``samples`` names, by task, the problems
    to ask (numbers among the scorable ones, or ids); ``n_at_k`` the pass n@k to report beside the turn
    budgets; ``interpreter`` the Python that runs programs; ``stub_imports`` whether those of HumanEval+ find the
    imports and helper functions of their stub. ``turns`` are those of a strategy of the user's own,
    called ``strategy``; else that is one of STRATEGIES, or "" for what task, reasoning and instruction mean.
    """

    profile: str = "default"
    samples_per_problem: int = 1
    seed: int = 0
    matcher: str = "tokens"
    time_factor: float = 1.0
    interpreter: str = ""
    stub_imports: bool = False
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
    strict_context: bool = False

    def strategy_of(self, task: Task) -> Strategy:
        """Return the strategy of ``task`` under these settings; a single-turn task keeps its one turn.

        Raises TurnwiseError for values that do not go together.
        """
        if self.turns:
            own = Strategy(self.strategy, self.turns)
            return own.with_turns(1 if task.max_turns == 1 else self.max_turns or len(self.turns))
        turns = task.max_turns if self.max_turns is None or task.max_turns == 1 else self.max_turns
        return build_strategy(
            self.strategy,
            max_turns=turns,
            reasoning=self.reasoning,
            instruction=self.instruction,
            feedback=self.feedback,
        )

    def plan(self, task: Task, prompts: PromptSet, decoys: DecoyPool | None = None) -> DialoguePlan:
        """Return what the dialogues of ``task`` share under these settings."""
        return DialoguePlan(
            task.name,
            self.strategy_of(task),
            prompts,
            self.seed,
            self.extraction,
            self.system_instruction,
            self.prefill,
            self.keep_reasoning,
            decoys,
            self.strict_context,
        )

    def turns_of(self, task: Task) -> int:
        """Return the turn limit of ``task`` under these settings."""
        return len(self.strategy_of(task).turns)

    def metrics_of(self, task: Task) -> tuple[NAtK, ...]:
        """Return the pass n@k asked for; raises TurnwiseError for one that the samples cannot support."""
        turns = self.turns_of(task)
        return tuple(
            check_support(parse_n_at_k(name), samples=self.samples_per_problem, turns=turns) for name in self.n_at_k
        )

    def with_supported_metrics(self, tasks: Iterable[Task]) -> "RunSettings":
        """Return the settings with those n@k only that the samples support on one of ``tasks`` at least."""
        turns = {self.turns_of(task) for task in tasks}
        kept = tuple(
            name
            for name in self.n_at_k
            if any(parse_n_at_k(name).is_supported(samples=self.samples_per_problem, turns=one) for one in turns)
        )
        return replace(self, n_at_k=kept)

    def judge_json(self) -> dict[str, Any]:
        """Return what the judge's record says of the settings; what is rare is named where it is set."""
        return {"time_factor": self.time_factor, **({STUB_IMPORTS: True} if self.stub_imports else {})}

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a JSON object."""
        data = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in ("matcher", "time_factor", "interpreter", "stub_imports"):
            del data[name]  # they stand in the judge's record
        if not self.strict_context:
            del data["strict_context"]  # named where it is set
        data["extraction_version"] = EXTRACTION_VERSION
        data["n_at_k"] = list(self.n_at_k)
        data["sampling"] = to_json(self.sampling)
        data["turns"] = [to_json(turn) for turn in self.turns]
        data["reasoning"] = list(self.reasoning)
        data["samples"] = {task: list(which) for task, which in self.samples.items()}
        return data


PROFILES: dict[str, RunSettings] = {
    "default": RunSettings(),
    "zheng": RunSettings(
        profile="zheng",
        matcher="deepmind",
        extraction="last",
        samples_per_problem=200,
        n_at_k=("1@3", "10@30", "33@100", "100@300"),
        sampling=Sampling(temperature=1.0, top_p=0.95),
    ),
    "rlef": RunSettings(
        profile="rlef",
        matcher="deepmind",
        extraction="first",
        interpreter="python3.10",
        samples_per_problem=200,
        n_at_k=("1@3", "10@100"),
        sampling=Sampling(temperature=0.2, top_p=0.95),
    ),
}


def settings_of(profile: str, given: Mapping[str, Any]) -> RunSettings:
    """Return the settings of ``profile`` with what was ``given`` in their place; raises for an unknown profile."""
    if profile not in PROFILES:
        raise TurnwiseError(f"Unknown profile {profile!r}: choose one of {', '.join(PROFILES)}.")
    return replace(PROFILES[profile], **given)
