"""The main job: tasks x problems x samples to trajectories, verdicts and outcomes, in one run folder.

A run folder holds run.json (frozen settings and provenance; other settings in the same folder are
refused), trajectories/<task>/<shard>.jsonl in plan order (store.py), verdicts/main.jsonl (the verdict
cache) and what scoring adds. Running the same line again goes on where the last attempt ended, kill -9
included: no reply is asked for twice and nothing is judged twice.
"""

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import turnwise
from turnwise.benchmarks.catalog import ProblemSet, load_problems
from turnwise.benchmarks.records import Problem, Report, Verdict
from turnwise.benchmarks.rows import OnError
from turnwise.errors import TurnwiseError
from turnwise.runners.drivers import drive, run_asynchronously
from turnwise.runners.execution.interface import Executor
from turnwise.runners.expected import resolve_expected
from turnwise.runners.judge import Judge
from turnwise.runners.sampler import Sampler
from turnwise.runners.store import ResumingSampler, ShardStore, cut_shards
from turnwise.runners.verdicts import JsonLinesCache
from turnwise.tasks.catalog import Task
from turnwise.tasks.dialogue import Dialogue, DialoguePlan
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import DEFAULT_FEEDBACK, Strategy, multi_turn, single_turn
from turnwise.tasks.trajectory import Trajectory

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What decides the result of a run, besides the model; all of it stands in run.json."""

    samples_per_problem: int = 1
    seed: int = 0
    matcher: str = "tokens"
    time_factor: float = 1.0
    feedback: str = DEFAULT_FEEDBACK
    extraction: str = "last"
    max_turns: int | None = None
    limit: float | None = None
    on_error: OnError = "raise"

    def strategy(self, task: Task) -> Strategy:
        """Return the strategy of ``task`` under these settings."""
        turns = self.turns_of(task)
        return single_turn() if turns == 1 else multi_turn(turns, feedback=self.feedback)

    def turns_of(self, task: Task) -> int:
        """Return the turn limit of ``task`` under these settings; a single-turn task keeps its one turn."""
        return task.max_turns if self.max_turns is None or task.max_turns == 1 else self.max_turns

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and how a run is carried out; decides no result."""

    executor: Executor
    cache_dir: Path
    data_dir: Path | None = None
    environ: dict[str, str] | None = None
    workers: int = 1
    on_progress: Progress | None = None

    def report(self, what: str, done: int, total: int) -> None:
        """Tell whoever watches how far ``what`` is."""
        if self.on_progress is not None:
            self.on_progress(what, done, total)


@dataclass(frozen=True, slots=True)
class LoadedTask:
    """A task with its problems: all that were loaded, and the scorable ones that are asked."""

    task: Task
    source: ProblemSet
    asked: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class DialogueResult:
    """One dialogue and the report on its submission, None where that is missing."""

    trajectory: Trajectory
    report: Report | None

    @property
    def is_missing(self) -> bool:
        """Whether nothing is known of this dialogue's outcome."""
        return self.report is None or self.report.verdict is Verdict.INFRASTRUCTURE_FAILURE


def load_task(task: Task, settings: RunSettings, machine: Machine) -> LoadedTask:
    """Return the task's scorable problems, expected outputs computed.

    Raises TurnwiseError if data is missing or broken or no problem can be scored.
    """
    source = load_problems(
        task.benchmark,
        split=task.split,
        data_dir=machine.data_dir,
        difficulties=(task.difficulty,) if task.difficulty else (),
        environ=machine.environ,
        on_error=settings.on_error,
    )
    asked = _first(source.scorable, settings.limit)
    if not asked:
        raise TurnwiseError(
            f"None of the {len(source.problems)} problems of {task.name} ({source.source}) can be scored: "
            "they lack hidden tests, are incomplete or interactive (see turnwise tasks)."
        )
    resolved = resolve_expected(
        asked,
        machine.executor,
        cache_dir=machine.cache_dir,
        workers=machine.workers,
        on_progress=lambda done, total: machine.report(f"{task.name}: expected outputs", done, total),
    )
    return LoadedTask(task, source, resolved)


def run_job(
    tasks: Sequence[LoadedTask],
    sampler: Sampler,
    settings: RunSettings,
    machine: Machine,
    *,
    output: Path,
    command: str = "",
) -> dict[str, list[DialogueResult]]:
    """Run every dialogue of every task, write the run folder and return the results by task, in plan order.

    Raises TurnwiseError if ``output`` holds a run with other settings.
    """
    prompts = PromptSet.load()
    output.mkdir(parents=True, exist_ok=True)
    cache = JsonLinesCache(output / "verdicts" / "main.jsonl")
    judge = Judge(
        machine.executor,
        matcher=settings.matcher,
        cache=cache,
        time_factor=settings.time_factor,
        workers=machine.workers,
    )
    try:
        _freeze(output / "run.json", _describe_run(tasks, sampler, settings, judge, prompts), command)
        return {
            loaded.task.name: asyncio.run(_run_task(loaded, sampler, judge, prompts, settings, machine, output))
            for loaded in tasks
        }
    finally:
        judge.close()
        cache.close()


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` under a temporary name in the same folder, then rename it to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


async def _run_task(
    loaded: LoadedTask,
    sampler: Sampler,
    judge: Judge,
    prompts: PromptSet,
    settings: RunSettings,
    machine: Machine,
    output: Path,
) -> list[DialogueResult]:
    task = loaded.task
    plan = DialoguePlan(task.name, settings.strategy(task), prompts, settings.seed, settings.extraction)
    problems = {problem.id: problem for problem in loaded.asked}
    order = [(problem, sample) for problem in problems for sample in range(settings.samples_per_problem)]
    stores = [ShardStore(output, shard) for shard in cut_shards(task.name, order)]
    store_of = {key: store for store in stores for key in store.shard.keys}
    finished = {(one.problem, one.sample): one for store in stores for one in store.finished()}
    resuming = ResumingSampler(sampler, stores)

    async def carry(dialogue: Dialogue) -> DialogueResult:
        key = (dialogue.problem.id, dialogue.sample)
        if key not in finished:
            await drive(dialogue, resuming, judge)
        trajectory = finished.get(key) or dialogue.trajectory()
        store_of[key].add_trajectory(trajectory)
        if trajectory.is_missing:
            return DialogueResult(trajectory, None)
        return DialogueResult(trajectory, await judge.judge_async(dialogue.problem, trajectory.turns[-1].program))

    dialogues = (Dialogue(problems[problem], sample, plan) for problem, sample in order)
    results: dict[tuple[str, int], DialogueResult] = {}
    try:
        async for result in run_asynchronously(dialogues, carry, concurrency=2 * machine.workers):
            results[result.trajectory.problem, result.trajectory.sample] = result
            machine.report(f"{task.name}: dialogues", len(results), len(order))
    finally:
        for store in stores:
            store.close()
    return [results[key] for key in order]


def _first(problems: tuple[Problem, ...], limit: float | None) -> tuple[Problem, ...]:
    if limit is None:
        return problems
    return problems[: int(limit) if limit >= 1 else max(1, int(limit * len(problems)))]


def _describe_run(
    tasks: Sequence[LoadedTask], sampler: Sampler, settings: RunSettings, judge: Judge, prompts: PromptSet
) -> dict[str, Any]:
    return {
        "schema": 1,
        "turnwise": turnwise.__version__,
        "model": sampler.description,
        "settings": settings.to_json(),
        "judge": judge.environment.to_json(),
        "prompts": {"set": prompts.name, "hashes": dict(prompts.hashes)},
        "tasks": [
            {
                "task": loaded.task.name,
                "benchmark": loaded.task.benchmark,
                "split": loaded.task.split,
                "max_turns": settings.turns_of(loaded.task),
                "strategy": settings.strategy(loaded.task).name,
                "data_sha256": loaded.source.digest,
                "loaded": len(loaded.source.problems),
                "scorable": len(loaded.source.scorable),
                "asked": [problem.id for problem in loaded.asked],
                "left_out": {
                    problem.id: list(problem.flags) for problem in loaded.source.problems if not problem.is_scorable
                },
                "broken_rows": [str(error) for error in loaded.source.broken_rows],
            }
            for loaded in tasks
        ],
    }


def _freeze(path: Path, description: dict[str, Any], command: str) -> None:
    if path.exists():
        try:
            frozen = dict(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            raise TurnwiseError(f"{str(path)!r} cannot be read: give another --output_path.") from None
        for key, value in json.loads(json.dumps(description)).items():
            if frozen.get(key) != value:
                raise TurnwiseError(
                    f"The folder {str(path.parent)!r} holds a run with another {key!r}: "
                    "give another --output_path, or remove the folder."
                )
        return
    write_atomically(path, json.dumps({**description, "command": command}, indent=1, ensure_ascii=False) + "\n")
