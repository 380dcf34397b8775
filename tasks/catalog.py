"""The tasks by name: a benchmark's split or difficulty, asked over one turn or several.

>>> find_tasks("taco_*_multiturn")[0].difficulty
'EASY'
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from turnwise.benchmarks.catalog import BENCHMARKS
from turnwise.benchmarks.taco import DIFFICULTIES
from turnwise.errors import TurnwiseError

DEFAULT_MAX_TURNS = 3


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked: which problems, over how many turns at most."""

    name: str
    benchmark: str
    split: str
    max_turns: int
    difficulty: str = ""


def _with_twin(stem: str, benchmark: str, split: str = "test", difficulty: str = "") -> Iterator[Task]:
    yield Task(f"{stem}_multiturn", benchmark, split, DEFAULT_MAX_TURNS, difficulty)
    yield Task(f"{stem}_singleturn", benchmark, split, 1, difficulty)


def _all_tasks() -> Iterator[Task]:
    yield from _with_twin("codecontests", "codecontests")
    yield from _with_twin("codecontests_valid", "codecontests", "valid")
    yield from _with_twin("taco", "taco")
    for difficulty in DIFFICULTIES:
        yield from _with_twin(f"taco_{difficulty.lower()}", "taco", difficulty=difficulty)
    yield from _with_twin("humaneval_plus", "humaneval_plus")
    yield from _with_twin("mbpp_plus", "mbpp_plus")
    for benchmark in BENCHMARKS.values():
        if benchmark.is_sample:
            yield from _with_twin(benchmark.name, benchmark.name)


TASKS: dict[str, Task] = {task.name: task for task in _all_tasks()}


def find_tasks(names: str) -> tuple[Task, ...]:
    """Return the tasks that a comma-separated list of names and globs selects, in catalogue order.

    Raises TurnwiseError for a name that selects nothing.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for pattern in wanted:
        if not any(fnmatchcase(name, pattern) for name in TASKS):
            near = get_close_matches(pattern, TASKS)
            meant = f"do you mean {' or '.join(near)}? " if near else ""
            raise TurnwiseError(f"Unknown task {pattern!r}: {meant}turnwise tasks lists those there are.")
    if not wanted:
        raise TurnwiseError("No task given: turnwise tasks lists those there are.")
    return tuple(task for name, task in TASKS.items() if any(fnmatchcase(name, one) for one in wanted))
