"""``turnwise run`` and ``turnwise demo``: models over tasks, to a table."""

import json
import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from turnwise.benchmarks.matching import check_matcher
from turnwise.commands.machine import (
    check_data_dir,
    check_output,
    check_time_factor,
    choose_executor,
    parse_pairs,
    show_progress,
    usable_cores,
)
from turnwise.errors import TurnwiseError
from turnwise.leaderboard.scores import Outcome, score_outcomes
from turnwise.leaderboard.tables import TaskScores, render_table
from turnwise.runners.execution.interface import Executor
from turnwise.runners.execution.reference import ReferenceExecutor
from turnwise.runners.expected import default_cache_dir
from turnwise.runners.main_job import (
    DialogueResult,
    LoadedTask,
    Machine,
    Progress,
    RunSettings,
    load_task,
    run_job,
    write_atomically,
)
from turnwise.runners.replay import ReplaySampler
from turnwise.tasks.catalog import find_tasks
from turnwise.tasks.extraction import check_extraction
from turnwise.tasks.strategies import multi_turn
from turnwise.tasks.trajectory import End

MODELS = ("replay",)
METADATA_KEYS = ("samples_per_problem", "max_turns", "feedback", "extraction")
DEMO_MODELS = ("steady", "repairing", "careless")
DEMO_TASKS = "sample_*_multiturn"
DEMO_SAMPLES = 2


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The options of ``turnwise run`` as given."""

    model: str
    model_args: str
    tasks: str
    output: Path
    data_dir: Path | None
    settings: RunSettings
    metadata: str
    interpreter: str
    workers: int
    allow_reference: bool


def run_command(request: RunRequest, *, environ: dict[str, str], arguments: Sequence[str]) -> str:
    """Carry out one run and return its table; raises TurnwiseError for what the user got wrong."""
    if request.model not in MODELS:
        raise TurnwiseError(f"Unknown model {request.model!r}: choose one of {', '.join(MODELS)}.")
    executor = choose_executor(request.interpreter, allow_reference=request.allow_reference)
    settings = _with_metadata(request.settings, request.metadata)
    if settings.limit is not None and not 0 < settings.limit < math.inf:
        raise TurnwiseError(f"--limit is {settings.limit:g}: give a number of problems, or a fraction above 0.")
    if request.workers < 0:
        raise TurnwiseError(f"--workers is {request.workers}: give a whole number, or 0 for the usable cores.")
    check_time_factor(settings.time_factor)
    check_matcher(settings.matcher)
    check_data_dir(request.data_dir)
    check_output(request.output)
    tasks = find_tasks(request.tasks)
    sampler = _replay_sampler(request.model_args, benchmarks=[task.benchmark for task in tasks])
    with show_progress() as on_progress:
        machine = Machine(
            executor,
            default_cache_dir(environ),
            request.data_dir,
            environ,
            request.workers or usable_cores(),
            on_progress,
        )
        loaded = [load_task(task, settings, machine) for task in tasks]
        results = run_job(
            loaded,
            sampler,
            settings,
            machine,
            output=request.output,
            command=shlex.join(["turnwise", *arguments]),
        )
    rows = _score(sampler.description["model"], loaded, results, settings)
    return _publish(request.output, rows, _settings_note(executor, loaded, settings, request.output))


def demo_command(output: Path, *, environ: dict[str, str]) -> str:
    """Run the three recorded models over the bundled sample and return one table.

    The programs are turnwise's own, so the reference executor runs them without being asked for.
    """
    check_output(output)
    settings = RunSettings(samples_per_problem=DEMO_SAMPLES)
    executor = ReferenceExecutor()
    answers = Path(str(resources.files("turnwise.benchmarks"))) / "sample" / "answers"
    tasks = find_tasks(DEMO_TASKS)
    rows: list[TaskScores] = []
    with show_progress() as on_progress:
        machine = Machine(executor, default_cache_dir(environ), None, environ, usable_cores(), on_progress)
        loaded = [load_task(task, settings, machine) for task in tasks]
        for model in DEMO_MODELS:
            sampler = ReplaySampler(answers / f"{model}.jsonl", benchmarks=[task.benchmark for task in tasks])
            named = replace(machine, on_progress=partial(_name_stage, on_progress, model))
            results = run_job(loaded, sampler, settings, named, output=output / model, command="turnwise demo")
            rows += _score(model, loaded, results, settings)
    return _publish(output, rows, _settings_note(executor, loaded, settings, output))


def _name_stage(on_progress: Progress, model: str, what: str, done: int, total: int) -> None:
    on_progress(f"{model}, {what}", done, total)


def _with_metadata(settings: RunSettings, metadata: str) -> RunSettings:
    if not metadata:
        return settings
    try:
        values = json.loads(metadata)
    except ValueError:
        raise TurnwiseError(f"--metadata {metadata!r} is no JSON: write '{{\"samples_per_problem\": 10}}'.") from None
    if not isinstance(values, dict) or set(values) - set(METADATA_KEYS):
        raise TurnwiseError(f"--metadata {metadata!r}: the known keys are {', '.join(METADATA_KEYS)}.")
    for key in ("samples_per_problem", "max_turns"):
        number = values.get(key, 1)
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise TurnwiseError(f"--metadata {key} is {number!r}: give a whole number >= 1.")
    for key in ("feedback", "extraction"):
        if not isinstance(values.get(key, ""), str):
            raise TurnwiseError(f"--metadata {key} is {values[key]!r}: give a name in quotes.")
    changed = replace(settings, **values)
    multi_turn(1, feedback=changed.feedback)
    check_extraction(changed.extraction)
    return changed


def _replay_sampler(model_args: str, *, benchmarks: Sequence[str]) -> ReplaySampler:
    pairs = parse_pairs(model_args, "--model_args")
    path = pairs.pop("path", "")
    if not path or set(pairs) - {"model", "method"}:
        raise TurnwiseError(
            f"--model replay needs -a path=FILE (and takes model=GLOB, method=GLOB), not {model_args!r}."
        )
    return ReplaySampler(Path(path), benchmarks=benchmarks, **pairs)


def _score(
    model: str,
    loaded: Sequence[LoadedTask],
    results: dict[str, list[DialogueResult]],
    settings: RunSettings,
) -> list[TaskScores]:
    rows = []
    for one in loaded:
        outcomes = [_outcome(result) for result in results[one.task.name]]
        estimates = score_outcomes(
            outcomes,
            problems=[problem.id for problem in one.asked],
            samples=settings.samples_per_problem,
            max_turns=settings.turns_of(one.task),
        )
        missing = sum(outcome.passed is None for outcome in outcomes)
        ended_early = sum(result.trajectory.end is End.NO_MORE_ANSWERS for result in results[one.task.name])
        rows.append(
            TaskScores(
                model,
                one.task.name,
                estimates,
                len(one.source.problems),
                len(one.asked),
                len(outcomes),
                missing,
                ended_early,
            )
        )
    return rows


def _outcome(result: DialogueResult) -> Outcome:
    trajectory, report = result.trajectory, result.report
    turns = len(trajectory.turns)
    if report is None or result.is_missing:
        return Outcome(trajectory.problem, trajectory.sample, None, None, turns)
    return Outcome(trajectory.problem, trajectory.sample, report.passed, report.public_passed, turns)


def _settings_note(executor: Executor, loaded: Sequence[LoadedTask], settings: RunSettings, output: Path) -> str:
    turns = sorted({settings.turns_of(one.task) for one in loaded})
    feedback = f"with {settings.feedback} feedback" if turns[-1] > 1 else "without feedback"
    return (
        "n@k counts replies, pass@k dialogues; percent of the problems scored.\n"
        f"Settings: at most {' or '.join(map(str, turns))} turns {feedback}, "
        f"samples per problem: {settings.samples_per_problem}, seed {settings.seed}, matcher {settings.matcher}, "
        f"time factor {settings.time_factor:g}, {executor.interpreter}, executor {executor.name} "
        f"(isolation: {executor.tier}).\n"
        f"Written: {output / 'table.txt'}, scores.json and the run folder beside them."
    )


def _publish(output: Path, rows: Sequence[TaskScores], note: str) -> str:
    table = render_table(rows)
    text = f"{table}\n\n{note}\n"
    scores: list[dict[str, Any]] = [
        {
            "model": row.model,
            "task": row.task,
            "loaded": row.loaded,
            "scored": row.scorable,
            "dialogues": row.dialogues,
            "missing": row.missing,
            "ended_early": row.ended_early,
            "estimates": [estimate.to_json() for estimate in row.estimates],
        }
        for row in rows
    ]
    write_atomically(output / "scores.json", json.dumps(scores, indent=1) + "\n")
    write_atomically(output / "table.txt", text)
    return text
