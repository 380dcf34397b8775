"""The tasks by name: a benchmark's split or difficulty, asked over one turn or several.

>>> find_tasks("taco_*_multiturn")[0].difficulty
'EASY'

Those over a train split are for training: they are chosen by their full names alone, never by a glob.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from turnwise.benchmarks.benchmark import TWINS, Benchmark
from turnwise.benchmarks.catalog import BENCHMARKS
from turnwise.errors import TurnwiseError
from turnwise.records.problem import TRAINING_SPLIT


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked: which problems, over how many turns at most."""

    name: str
    benchmark: Benchmark
    split: str
    max_turns: int
    difficulty: str = ""

    @property
    def is_training(self) -> bool:
        """Whether its problems are for training, and no part of an evaluation or a board."""
        return self.split == TRAINING_SPLIT


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

    Globs select no training tasks. Raises TurnwiseError for a name that selects nothing.
    """
    tasks = tasks_of(benchmarks)
    patterns = [name.strip() for name in names.split(",") if name.strip()]
    for pattern in patterns:
        if not any(_selects(pattern, task) for task in tasks.values()):
            raise _unknown(pattern, benchmarks)
    if not patterns:
        raise TurnwiseError("No task given: turnwise tasks lists those there are.")
    return tuple(task for task in tasks.values() if any(_selects(pattern, task) for pattern in patterns))


def training_tasks(names: str, benchmarks: Mapping[str, Benchmark] = BENCHMARKS) -> list[str]:
    """Return the names of the training tasks that globs in ``names`` match, though they do not select them."""
    patterns = [name.strip() for name in names.split(",") if name.strip()]
    tasks = [task.name for task in tasks_of(benchmarks).values() if task.is_training]
    return [name for name in tasks if name not in patterns and any(fnmatchcase(name, glob) for glob in patterns)]


def _selects(pattern: str, task: Task) -> bool:
    return task.name == pattern or (not task.is_training and fnmatchcase(task.name, pattern))


def _unknown(pattern: str, benchmarks: Mapping[str, Benchmark]) -> TurnwiseError:
    if training := training_tasks(pattern, benchmarks):
        return TurnwiseError(
            f"The glob {pattern!r} selects no task: those over a train split are chosen by their full names alone "
            f"({', '.join(training)})."
        )
    near = get_close_matches(pattern, tasks_of(benchmarks))
    meant = f"do you mean {' or '.join(near)}? " if near else ""
    return TurnwiseError(f"Unknown task {pattern!r}: {meant}turnwise tasks lists those there are.")
