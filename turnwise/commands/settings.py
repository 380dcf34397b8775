"""Options as text to RunSettings: profile, --metadata, --gen_kwargs, --samples, --config; checked before any work."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, create_model

from turnwise.benchmarks.checkers.checker_sets import load_checkers
from turnwise.benchmarks.mappings import read_mapping
from turnwise.benchmarks.matching import check_matcher
from turnwise.benchmarks.own import find_benchmarks
from turnwise.commands.machine import check_limit, check_time_factor
from turnwise.commands.options import AuditOptions, CommonOptions, DialogueOptions, ShowOptions, VerifyOptions
from turnwise.errors import TurnwiseError
from turnwise.records.settings import (
    DEFAULT_OWN_SOLUTIONS,
    GEN_KWARGS,
    LAST_BLOCK_INSTRUCTIONS,
    METADATA,
    MOST_TURNS,
    JudgeSettings,
    Option,
    RunConfig,
    RunSettings,
    Sampling,
)
from turnwise.runners.models.back_end import parse_pairs, validated
from turnwise.runners.models.catalog import check_sampling
from turnwise.tasks.catalog import Task, find_tasks
from turnwise.tasks.extraction import LAST_EXTRACTIONS, check_extraction
from turnwise.tasks.plan import config_of, metrics_of, strategy_of, with_supported_metrics
from turnwise.tasks.strategies import Strategy, is_strategy_file, parse_instruction, parse_reasoning, read_strategy
from turnwise.texts import encodable, printable, shown


def tasks_of_options(options: DialogueOptions | ShowOptions) -> tuple[Task, ...]:
    """Return the tasks that the options name, of the built-in benchmarks and the user's own."""
    return find_tasks(options.tasks, find_benchmarks(options.benchmark, tasks=options.tasks))


def config_of_options(options: CommonOptions, tasks: Sequence[Task]) -> RunConfig:
    """Return the settings that the options make for ``tasks``; raises TurnwiseError for what cannot be."""
    config = build_settings(
        profile=options.profile.value,
        metadata=options.metadata,
        gen_kwargs=options.gen_kwargs,
        samples=options.samples,
        tasks=tasks,
        given=options.given(),
    )
    check_sampling(options.model, config.settings.sampling)
    return config


def judge_of_options(options: AuditOptions | VerifyOptions) -> JudgeSettings:
    """Return the judge that the options of a command ask for, which judges what is not of a run.

    Raises TurnwiseError for a time factor or a set of checkers that cannot be.
    """
    check_time_factor(options.time_factor)
    load_checkers(options.answers)
    return JudgeSettings(
        matcher=options.matcher.value,
        time_factor=options.time_factor,
        interpreter=options.interpreter,
        stub_imports=options.stub_imports,
        answers=options.answers,
        tests=options.tests.value,
    )


def build_settings(
    *,
    profile: str,
    metadata: str,
    gen_kwargs: str,
    samples: str,
    tasks: Sequence[Task],
    given: Mapping[str, object],
) -> RunConfig:
    """Return the settings that the options make; raises TurnwiseError naming the first that cannot be.

    ``given`` are the options that the user set by name; they go before --metadata, which goes before the profile.
    """
    extra = _given(METADATA, _parse_json(metadata, "--metadata"), "--metadata", strict=True)
    chosen = extra.pop("profile", profile)
    if profile not in (chosen, "default"):
        raise TurnwiseError(f"--profile is {profile!r} but --metadata says {chosen!r}: give one of them.")
    config = config_of(chosen, with_prompts({**extra, **given}))
    settings = config.settings
    if "n_at_k" not in extra:
        settings = with_supported_metrics(settings, tasks)
    settings = replace(
        settings, sampling=_with_sampling(settings.sampling, gen_kwargs), samples=_parse_samples(samples)
    )
    config = replace(config, settings=settings)
    check_settings(config, tasks, metrics_given="n_at_k" in extra)
    return config


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


def read_config(path: Path) -> dict[str, str | bool | int | float]:
    """Return the options of a yaml file by name with dashes; lists and mappings become what the options take.

    Raises TurnwiseError if the file cannot be read or holds something else.
    """
    remedy = "write lines such as 'tasks: taco_multiturn'"
    data = read_mapping(path, "The configuration", otherwise="holds no options", remedy=remedy)
    try:
        return {str(name).replace("_", "-"): _as_option(str(name), value) for name, value in data.items()}
    except (TypeError, ValueError, RecursionError) as error:
        raise TurnwiseError(
            f"The configuration {str(path)!r} holds what no option takes: {printable(str(error), limit=200)}."
        ) from None


def _as_option(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, dict):
        if name.replace("-", "_") in ("metadata", "samples"):
            return json.dumps(value)
        for key, one in value.items():
            if not isinstance(one, str | int | float | dict):
                raise ValueError(f"{name} {key} is {shown(one)}")
        texts = {key: json.dumps(one) if isinstance(one, dict) else one for key, one in value.items()}
        return ",".join(f"{key}={text}" for key, text in texts.items())
    return value


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


def check_decoys(path: Path | None, runs: Iterable[RunSettings], chosen: Sequence[Task]) -> None:
    """Raise TurnwiseError for a file of incorrect programs that no turn of the tasks ``chosen`` in ``runs`` uses."""
    strategies = (strategy_of(settings, task) for settings in runs for task in chosen)
    if path is not None and not any(strategy.uses_random_feedback for strategy in strategies):
        raise TurnwiseError(
            f"--incorrect-programs {str(path)!r} serves the feedback random, and no turn has it: give --feedback "
            "random, or leave it out."
        )


def _check_strategy(strategy: Strategy, extraction: str) -> None:
    for turn in strategy.turns:
        if turn.instruction in LAST_BLOCK_INSTRUCTIONS and extraction not in LAST_EXTRACTIONS:
            raise TurnwiseError(
                f"The instruction {turn.instruction} asks for two programs and the last is the answer, but extraction "
                f"is {extraction!r}: set it to {' or '.join(LAST_EXTRACTIONS)}, or choose another instruction."
            )


def _parse_json(text: str, option: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise TurnwiseError(f"{option} {shown(text, limit=200)} is no JSON object: write '{{\"name\": value}}'.")
    return data


def _with_sampling(sampling: Sampling, gen_kwargs: str) -> Sampling:
    """Return ``sampling`` with what ``gen_kwargs`` give, whose values are text."""
    return replace(sampling, **_given(GEN_KWARGS, parse_pairs(gen_kwargs, "--gen_kwargs"), "--gen_kwargs"))


def _given(
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


def _parse_samples(text: str) -> dict[str, tuple[int | str, ...]]:
    data = _parse_json(text, "--samples")
    for task, which in data.items():
        if not isinstance(which, list) or not which or not all(type(one) in (int, str) for one in which):
            raise TurnwiseError(
                f"--samples {printable(task, limit=80)} is {shown(which, limit=200)}: give a list of "
                f"problem numbers or ids, such as '{{\"codecontests_multiturn\": [0, 3]}}'."
            )
    return {task: tuple(which) for task, which in data.items()}
