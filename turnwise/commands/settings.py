"""Options as text to RunSettings: profile, --metadata, --gen_kwargs, --samples, --config; checked before any work."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from turnwise.benchmarks.checkers.checker_sets import load_checkers
from turnwise.benchmarks.mappings import read_mapping
from turnwise.benchmarks.own import find_benchmarks
from turnwise.commands.options import AuditOptions, CommonOptions, DialogueOptions, ShowOptions
from turnwise.commands.training_options import VerifyOptions
from turnwise.errors import TurnwiseError
from turnwise.records.settings import (
    GEN_KWARGS,
    METADATA,
    JudgeSettings,
    RunConfig,
    RunSettings,
    Sampling,
)
from turnwise.runners.models.back_end import parse_pairs
from turnwise.runners.models.catalog import check_sampling
from turnwise.runners.settings import check_settings, check_time_factor, given_settings, with_prompts
from turnwise.tasks.catalog import Task, find_tasks
from turnwise.tasks.plan import config_of, strategy_of, with_supported_metrics
from turnwise.texts import printable, shown


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
    extra = given_settings(METADATA, _parse_json(metadata, "--metadata"), "--metadata", strict=True)
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


def check_decoys(path: Path | None, runs: Iterable[RunSettings], chosen: Sequence[Task]) -> None:
    """Raise TurnwiseError for a file of incorrect programs that no turn of the tasks ``chosen`` in ``runs`` uses."""
    strategies = (strategy_of(settings, task) for settings in runs for task in chosen)
    if path is not None and not any(strategy.uses_random_feedback for strategy in strategies):
        raise TurnwiseError(
            f"--incorrect-programs {str(path)!r} serves the feedback random, and no turn has it: give --feedback "
            "random, or leave it out."
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
    return replace(sampling, **given_settings(GEN_KWARGS, parse_pairs(gen_kwargs, "--gen_kwargs"), "--gen_kwargs"))


def _parse_samples(text: str) -> dict[str, tuple[int | str, ...]]:
    data = _parse_json(text, "--samples")
    for task, which in data.items():
        if not isinstance(which, list) or not which or not all(type(one) in (int, str) for one in which):
            raise TurnwiseError(
                f"--samples {printable(task, limit=80)} is {shown(which, limit=200)}: give a list of "
                f"problem numbers or ids, such as '{{\"codecontests_multiturn\": [0, 3]}}'."
            )
    return {task: tuple(which) for task, which in data.items()}
