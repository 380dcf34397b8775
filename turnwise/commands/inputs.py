"""The files and folders that options name: absolute, so that a job finds them, or copies in their place.

Not among the inputs that a submission copies: what --config holds, which has become options; data sets, models and
interpreters, which are told by what run.json says of them.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from turnwise.benchmarks.checkers.checker_sets import is_own_set
from turnwise.benchmarks.own import is_benchmark_file
from turnwise.commands.options import SubmitOptions
from turnwise.commands.training_options import RlefJobOptions
from turnwise.records.choices import BackEndName
from turnwise.runners.models.back_end import Wanted
from turnwise.tasks.prompts import is_bundled_set
from turnwise.tasks.strategies import is_strategy_file

PROMPTS, PROGRAMS, STRATEGY, ANSWERS = "prompts", "incorrect_programs", "strategy", "answers"
BENCHMARK, CHECKERS = "benchmark", "checkers"
JobOptions = TypeVar("JobOptions", SubmitOptions, RlefJobOptions)


def with_absolute_paths(options: JobOptions) -> JobOptions:
    """Return the options with paths that mean the same in every job."""
    named = ("output_path", "data_dir", "prompts", "incorrect_programs")
    given = {name: path for name in named if (path := getattr(options, name)) is not None}
    paths = {name: path if is_bundled_set(path) else path.absolute() for name, path in given.items()}
    benchmark = str(Path(options.benchmark).absolute()) if is_benchmark_file(options.benchmark) else options.benchmark
    answers = str(Path(options.answers).absolute()) if is_own_set(options.answers) else options.answers
    return replace(options, **paths, benchmark=benchmark, answers=answers)


def named_inputs(options: SubmitOptions | RlefJobOptions) -> dict[str, Path]:
    """Return the files and folders that the options name, absolute."""
    strategy = options.strategy or _metadata(options).get("strategy") or ""
    checkers = options.answers or _metadata(options).get("answers") or ""
    answers = Wanted(options.model_args).pairs.get("path", "") if options.model is BackEndName.REPLAY else ""
    named = {
        PROMPTS: None if options.prompts and is_bundled_set(options.prompts) else options.prompts,
        PROGRAMS: options.incorrect_programs,
        STRATEGY: Path(strategy) if is_strategy_file(strategy) else None,
        ANSWERS: Path(answers) if answers else None,
        BENCHMARK: Path(options.benchmark) if is_benchmark_file(options.benchmark) else None,
        CHECKERS: Path(checkers) if is_own_set(checkers) else None,
    }
    return {name: path.absolute() for name, path in named.items() if path is not None}


def with_inputs(options: JobOptions, paths: Mapping[str, Path]) -> JobOptions:
    """Return the options with ``paths`` in place of what they name."""
    strategy, metadata, model_args = options.strategy, options.metadata, options.model_args
    if STRATEGY in paths and strategy:
        strategy = str(paths[STRATEGY])
    elif STRATEGY in paths:
        metadata = json.dumps({**_metadata(options), "strategy": str(paths[STRATEGY])})
    if ANSWERS in paths and "," not in str(paths[ANSWERS]):  # an argument that has one cannot be written
        pairs = {**Wanted(model_args).pairs, "path": str(paths[ANSWERS])}
        model_args = ",".join(f"{name}={value}" for name, value in pairs.items())
    return replace(
        options,
        strategy=strategy,
        metadata=metadata,
        model_args=model_args,
        prompts=paths.get(PROMPTS, options.prompts),
        incorrect_programs=paths.get(PROGRAMS, options.incorrect_programs),
        benchmark=str(paths.get(BENCHMARK, options.benchmark)),
        answers=str(paths.get(CHECKERS, options.answers)),
    )


def _metadata(options: SubmitOptions | RlefJobOptions) -> dict[str, Any]:
    """Return --metadata, which has been checked."""
    data = json.loads(options.metadata) if options.metadata else {}
    return data if isinstance(data, dict) else {}
