"""What the settings of a run mean for a task, and the profiles that set them together.

A profile is a named set of settings; what the user gives besides it goes before it and is recorded too.
``zheng`` and ``rlef`` follow the two papers where they speak (arXiv 2410.08105 sections 3 and 4; 2410.02089
section 3 and appendix A); what they leave open is ours: the matcher is CodeContests' own in both. They judge by
equality on all tests as published.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.records.choices import ProfileName
from turnwise.records.metrics import NAtK, check_support, parse_n_at_k
from turnwise.records.settings import EQUALITY, JudgeSettings, RunConfig, RunSettings, Sampling
from turnwise.tasks.catalog import Task
from turnwise.tasks.decoys import DecoyPool
from turnwise.tasks.dialogue import DialoguePlan
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import Strategy, build_strategy

PROFILES: dict[str, RunConfig] = {
    ProfileName.DEFAULT: RunConfig(),
    ProfileName.ZHENG: RunConfig(
        RunSettings(
            profile="zheng",
            extraction="last",
            samples_per_problem=200,
            n_at_k=("1@3", "10@30", "33@100", "100@300"),
            sampling=Sampling(temperature=1.0, top_p=0.95),
        ),
        JudgeSettings(matcher="deepmind", answers=EQUALITY, tests="all"),
    ),
    ProfileName.RLEF: RunConfig(
        RunSettings(
            profile="rlef",
            extraction="first",
            samples_per_problem=200,
            n_at_k=("1@3", "10@100"),
            sampling=Sampling(temperature=0.2, top_p=0.95),
        ),
        JudgeSettings(matcher="deepmind", interpreter="python3.10", answers=EQUALITY, tests="all"),
    ),
}
_OF_JUDGE = frozenset(one.name for one in fields(JudgeSettings))


def config_of(profile: str, given: Mapping[str, Any]) -> RunConfig:
    """Return the settings of ``profile`` with what was ``given`` in their place; raises for an unknown profile."""
    if profile not in PROFILES:
        raise TurnwiseError(f"Unknown profile {profile!r}: choose one of {', '.join(PROFILES)}.")
    config = PROFILES[profile]
    of_judge = {name: value for name, value in given.items() if name in _OF_JUDGE}
    others = {name: value for name, value in given.items() if name not in _OF_JUDGE}
    return RunConfig(replace(config.settings, **others), replace(config.judge, **of_judge))


def strategy_of(settings: RunSettings, task: Task) -> Strategy:
    """Return the strategy of ``task`` under ``settings``; a single-turn task keeps its one turn.

    Raises TurnwiseError for values that do not go together.
    """
    if settings.turns:
        own = Strategy(settings.strategy, settings.turns)
        return own.with_turns(1 if task.max_turns == 1 else settings.max_turns or len(settings.turns))
    turns = task.max_turns if settings.max_turns is None or task.max_turns == 1 else settings.max_turns
    return build_strategy(
        settings.strategy,
        max_turns=turns,
        reasoning=settings.reasoning,
        instruction=settings.instruction,
        feedback=settings.feedback,
    )


def dialogue_plan(
    settings: RunSettings, task: Task, prompts: PromptSet, decoys: DecoyPool | None = None
) -> DialoguePlan:
    """Return what the dialogues of ``task`` share under ``settings``."""
    return DialoguePlan(
        task.name,
        strategy_of(settings, task),
        prompts,
        settings.seed,
        settings.extraction,
        settings.system_instruction,
        settings.prefill,
        settings.keep_reasoning,
        decoys,
        settings.strict_context,
    )


def turns_of(settings: RunSettings, task: Task) -> int:
    """Return the turn limit of ``task`` under ``settings``."""
    return len(strategy_of(settings, task).turns)


def metrics_of(settings: RunSettings, task: Task) -> tuple[NAtK, ...]:
    """Return the pass n@k asked for; raises TurnwiseError for one that the samples cannot support."""
    samples, turns = settings.samples_per_problem, turns_of(settings, task)
    return tuple(check_support(parse_n_at_k(name), samples=samples, turns=turns) for name in settings.n_at_k)


def with_supported_metrics(settings: RunSettings, tasks: Iterable[Task]) -> RunSettings:
    """Return ``settings`` with those n@k only that the samples support on one of ``tasks`` at least."""
    turns = {turns_of(settings, task) for task in tasks}
    samples = settings.samples_per_problem
    kept = (
        name
        for name in settings.n_at_k
        if any(parse_n_at_k(name).is_supported(samples=samples, turns=one) for one in turns)
    )
    return replace(settings, n_at_k=tuple(kept))
