"""``turnwise tasks``: what can be asked, how many problems of it are here, and what is flagged."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tabulate import tabulate

from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.own import find_benchmarks
from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.records.problem import Flag
from turnwise.records.settings import OnError
from turnwise.runners.machines import check_data_dir
from turnwise.tasks.catalog import Task, find_tasks, training_tasks

_SHOWN_SENTENCES = 10


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """One task: how many problems its data here holds, how many can be scored, how many carry which flag.

    ``contradictions`` are the reasons by problem id, ``broken_rows`` a sentence for each row that was left out.
    """

    task: Task
    problems: int = 0
    scorable: int = 0
    flags: Mapping[str, int] = field(default_factory=dict)
    note: str = ""
    contradictions: Mapping[str, str] = field(default_factory=dict)
    broken_rows: Sequence[str] = ()


def summarise_tasks(
    names: str, *, data_dir: Path | None, environ: dict[str, str], on_error: OnError, benchmark: str = ""
) -> list[TaskSummary]:
    """Return a summary per task; data that is not here is a note, not an error. Nothing is downloaded."""
    check_data_dir(data_dir)
    tasks = find_tasks(names, find_benchmarks(benchmark, tasks=names))
    return [_summarise(task, data_dir, environ, on_error) for task in tasks]


def training_note(names: str, benchmark: str = "") -> list[str]:
    """Return the sentence that names the training tasks which the globs in ``names`` do not select."""
    training = training_tasks(names, find_benchmarks(benchmark, tasks=names))
    return [f"For training, chosen by their full names alone: {', '.join(training)}."] if training else []


def render_tasks(summaries: list[TaskSummary], remarks: Sequence[str] = ()) -> str:
    """Return the summaries as a table, and the ``remarks`` below it."""
    flags = [flag.value for flag in Flag if any(flag.value in one.flags for one in summaries)]
    headers = ["task", "benchmark", "split", "turns", "problems", "scorable", *flags]
    rows = []
    for one in summaries:
        counts = [one.problems, one.scorable, *(one.flags.get(flag, 0) for flag in flags)]
        cells = ["-"] * len(counts) if one.note else list(map(str, counts))
        rows.append([one.task.name, one.task.benchmark.name, one.task.split, str(one.task.max_turns), *cells])
    notes = list(dict.fromkeys(one.note for one in summaries if one.note))
    notes += _first(f"{name} is contradictory: {why}." for one in summaries for name, why in one.contradictions.items())
    notes += _first(f"Left out: {sentence}" for one in summaries for sentence in one.broken_rows)
    notes += remarks
    return "\n".join([tabulate(rows, headers=headers, disable_numparse=True), *(["", *notes] if notes else [])])


def _first(sentences: Iterable[str]) -> list[str]:
    """Return the first of the sentences, each once, and how many more there are."""
    different = list(dict.fromkeys(sentences))
    more = len(different) - _SHOWN_SENTENCES
    return [*different[:_SHOWN_SENTENCES], *([f"... and {more} more; --json names all."] if more > 0 else [])]


def _summarise(task: Task, data_dir: Path | None, environ: dict[str, str], on_error: OnError) -> TaskSummary:
    benchmark = task.benchmark
    has_local = data_dir is not None or environ.get("TURNWISE_DATA") or environ.get(benchmark.override_variable)
    if benchmark.hub and not (benchmark.path or benchmark.rows or has_local):
        note = "-: give --data-dir (or set TURNWISE_DATA) to count problems; turnwise run downloads them."
        return TaskSummary(task, note=note)
    try:
        found = load_problems(
            benchmark,
            split=task.split,
            data_dir=data_dir,
            difficulties=(task.difficulty,) if task.difficulty else (),
            environ=environ,
            on_error=on_error,
        )
    except MissingExtraError:
        raise
    except TurnwiseError as error:
        if type(error) is not TurnwiseError:
            raise
        return TaskSummary(task, note=f"-: {error}")
    flags = Counter(flag.value for problem in found.problems for flag in problem.flags)
    return TaskSummary(
        task,
        len(found.problems),
        len(found.scorable),
        flags,
        contradictions={one.id: one.contradiction for one in found.problems if one.contradiction},
        broken_rows=[str(row.without_option()) for row in found.broken_rows],
    )


def task_document(summary: TaskSummary) -> dict[str, object]:
    """Return the summary as a JSON object."""
    return {
        "task": summary.task.name,
        "benchmark": summary.task.benchmark.name,
        "split": summary.task.split,
        "difficulty": summary.task.difficulty,
        "max_turns": summary.task.max_turns,
        "problems": summary.problems,
        "scorable": summary.scorable,
        "flags": dict(summary.flags),
        "note": summary.note,
        "contradictions": dict(summary.contradictions),
        "broken_rows": list(summary.broken_rows),
    }
