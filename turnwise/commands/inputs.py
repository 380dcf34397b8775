"""The files and folders that the options of a run name, and the same options with copies of them in their places.

Not among them: what --config holds, which has become options; data sets, models and interpreters, which are told by
what run.json says of them.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from turnwise.benchmarks.own import is_benchmark_file
from turnwise.commands.run import RunRequest
from turnwise.runners.models.back_end import Wanted
from turnwise.tasks.strategy_file import is_strategy_file

PROMPTS, PROGRAMS, STRATEGY, ANSWERS, BENCHMARK = "prompts", "incorrect_programs", "strategy", "answers", "benchmark"


def named_inputs(request: RunRequest) -> dict[str, Path]:
    """Return what the options name, absolute."""
    strategy = request.given.get("strategy") or _metadata(request).get("strategy") or ""
    answers = Wanted(request.model_args).pairs.get("path", "") if request.model == "replay" else ""
    found = {
        PROMPTS: request.prompts,
        PROGRAMS: request.incorrect_programs,
        STRATEGY: Path(strategy) if is_strategy_file(strategy) else None,
        ANSWERS: Path(answers) if answers else None,
        BENCHMARK: Path(request.host.benchmark) if is_benchmark_file(request.host.benchmark) else None,
    }
    return {name: path.absolute() for name, path in found.items() if path is not None}


def with_inputs(request: RunRequest, paths: Mapping[str, Path]) -> RunRequest:
    """Return the options with ``paths`` in place of what they name."""
    given, metadata, model_args = dict(request.given), request.metadata, request.model_args
    if STRATEGY in paths and given.get("strategy"):
        given["strategy"] = str(paths[STRATEGY])
    elif STRATEGY in paths:
        metadata = json.dumps({**_metadata(request), "strategy": str(paths[STRATEGY])})
    if ANSWERS in paths and "," not in str(paths[ANSWERS]):  # an argument that has one cannot be written
        pairs = {**Wanted(model_args).pairs, "path": str(paths[ANSWERS])}
        model_args = ",".join(f"{name}={value}" for name, value in pairs.items())
    return replace(
        request,
        given=given,
        metadata=metadata,
        model_args=model_args,
        prompts=paths.get(PROMPTS, request.prompts),
        incorrect_programs=paths.get(PROGRAMS, request.incorrect_programs),
        host=replace(request.host, benchmark=str(paths.get(BENCHMARK, request.host.benchmark))),
    )


def _metadata(request: RunRequest) -> dict[str, Any]:
    """Return --metadata, which has been checked."""
    data = json.loads(request.metadata) if request.metadata else {}
    return data if isinstance(data, dict) else {}
