"""The tasks by name: a benchmark's split or difficulty, asked over one turn or several.

>>> find_tasks("taco_*_multiturn")[0].difficulty
'EASY'
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from turnwise.benchmarks.benchmark import TWINS, Benchmark
from turnwise.benchmarks.catalog import BENCHMARKS
from turnwise.errors import TurnwiseError


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked: which problems, over how many turns at most."""

    name: str
    benchmark: Benchmark
    split: str
    max_turns: int
    difficulty: str = ""


def tasks_of(benchmarks: Mapping[str, Benchmark]) -> dict[str, Task]:
    """Return the tasks that ``benchmarks`` have, by name and in their order."""
    return {task.name: task for benchmark in benchmarks.values() for task in _tasks_of(benchmark)}


def _tasks_of(benchmark: Benchmark) -> Iterator[Task]:
    for stem in benchmark.asked:
        for twin, max_turns in TWINS.items():
            yield Task(f"{stem.name}_{twin}", benchmark, stem.split, max_turns, stem.difficulty)


TASKS: dict[str, Task] = tasks_of(BENCHMARKS)


def find_tasks(names: str, benchmarks: Mapping[str, Benchmark] = BENCHMARKS) -> tuple[Task, ...]:
    """Return the tasks that a comma-separated list of names and globs selects, in catalogue order.

    Raises TurnwiseError for a name that selects nothing.
    """
    tasks = tasks_of(benchmarks)
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for pattern in wanted:
        if not any(fnmatchcase(name, pattern) for name in tasks):
            near = get_close_matches(pattern, tasks)
            meant = f"do you mean {' or '.join(near)}? " if near else ""
            raise TurnwiseError(f"Unknown task {pattern!r}: {meant}turnwise tasks lists those there are.")
    if not wanted:
        raise TurnwiseError("No task given: turnwise tasks lists those there are.")
    return tuple(task for name, task in tasks.items() if any(fnmatchcase(name, one) for one in wanted))
