"""``turnwise tasks``: what can be asked, how many problems of it are here, and what is flagged."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from turnwise.benchmarks.catalog import BENCHMARKS, load_problems
from turnwise.benchmarks.records import Flag
from turnwise.benchmarks.rows import OnError
from turnwise.commands.machine import check_data_dir
from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.tasks.catalog import Task, find_tasks


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """One task: how many problems its data here holds, how many can be scored, how many carry which flag."""

    task: Task
    problems: int
    scorable: int
    flags: dict[str, int]
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the summary as a JSON object."""
        return {
            "task": self.task.name,
            "benchmark": self.task.benchmark,
            "split": self.task.split,
            "difficulty": self.task.difficulty,
            "max_turns": self.task.max_turns,
            "problems": self.problems,
            "scorable": self.scorable,
            "flags": self.flags,
            "note": self.note,
        }


def summarise_tasks(
    names: str, *, data_dir: Path | None, environ: dict[str, str], on_error: OnError
) -> list[TaskSummary]:
    """Return a summary per task; data that is not here is a note, not an error. Nothing is downloaded."""
    check_data_dir(data_dir)
    return [_summarise(task, data_dir, environ, on_error) for task in find_tasks(names)]


def render_tasks(summaries: list[TaskSummary]) -> str:
    """Return the summaries as a table."""
    flags = [flag.value for flag in Flag if any(flag.value in one.flags for one in summaries)]
    headers = ["task", "benchmark", "split", "turns", "problems", "scorable", *flags]
    rows = []
    for one in summaries:
        counts = [one.problems, one.scorable, *(one.flags.get(flag, 0) for flag in flags)]
        cells = ["-"] * len(counts) if one.note else list(map(str, counts))
        rows.append([one.task.name, one.task.benchmark, one.task.split, str(one.task.max_turns), *cells])
    notes = list(dict.fromkeys(one.note for one in summaries if one.note))
    return "\n".join([tabulate(rows, headers=headers, disable_numparse=True), *(["", *notes] if notes else [])])


def _summarise(task: Task, data_dir: Path | None, environ: dict[str, str], on_error: OnError) -> TaskSummary:
    benchmark = BENCHMARKS[task.benchmark]
    has_local = data_dir is not None or environ.get("TURNWISE_DATA") or environ.get(benchmark.override_variable)
    if not (benchmark.is_sample or has_local):
        note = "-: give --data-dir (or set TURNWISE_DATA) to count problems; turnwise run downloads them."
        return TaskSummary(task, 0, 0, {}, note)
    try:
        found = load_problems(
            task.benchmark,
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
        return TaskSummary(task, 0, 0, {}, f"-: {error}")
    flags = Counter(flag.value for problem in found.problems for flag in problem.flags)
    return TaskSummary(task, len(found.problems), len(found.scorable), dict(flags))
