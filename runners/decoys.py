"""Where decoys come from: the data set's incorrect solutions, or a file of programs that are said to be wrong.

A file is JSON lines with a ``problem`` (or ``task_id``) and a ``program`` (or ``solution``, ``code``) each.
Nothing is run here but the canonical solutions of problems whose expected outputs are not known yet.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from turnwise.benchmarks.ids import problem_id, source_name
from turnwise.benchmarks.rows import OF_ANSWERS, Row, digest_files, read_rows
from turnwise.errors import TurnwiseError
from turnwise.records.problem import Problem
from turnwise.records.settings import RunSettings
from turnwise.runners.judging.expected import resolve_expected
from turnwise.runners.loading import LoadedTask, Machine
from turnwise.tasks.decoys import Decoy, DecoyPool
from turnwise.tasks.plan import strategy_of
from turnwise.texts import encodable


def load_decoys(
    tasks: Sequence[LoadedTask],
    settings: RunSettings,
    machine: Machine,
    *,
    path: Path | None = None,
    runnable: bool = True,
) -> dict[str, DecoyPool]:
    """Return the pool of each task that is told of random programs; none is made where no task is.

    Unless they have to be ``runnable``, no program is run here.

    Raises TurnwiseError if there are too few, or the file at ``path`` cannot be read.
    """
    wanted = [loaded for loaded in tasks if strategy_of(settings, loaded.task).uses_random_feedback]
    return {loaded.task.name: _load(loaded, machine, path, runnable) for loaded in wanted}


def _load(loaded: LoadedTask, machine: Machine, path: Path | None, runnable: bool) -> DecoyPool:
    if path is None:
        source = f"{loaded.task.benchmark.name}/{loaded.task.split}"
        programs: Mapping[str, Sequence[str]] = {one.id: one.incorrect_solutions for one in loaded.source.problems}
    else:
        if not path.is_file():
            raise TurnwiseError(f"The file of incorrect programs {str(path)!r} does not exist: give another.")
        source = f"{encodable(path.name)} (sha256 {digest_files([path])[:12]})"
        programs = _read(path, loaded.task.benchmark.name)
    asked = {problem.id: problem for problem in loaded.asked}
    chosen = [asked.get(one.id, one) for one in loaded.source.problems if programs.get(one.id)]
    if runnable:
        chosen = [*resolve_expected(chosen, machine.executor, cache_dir=machine.cache_dir, workers=machine.workers)]
    return DecoyPool(_decoys(chosen, programs), source=source)


def _decoys(problems: Sequence[Problem], programs: Mapping[str, Sequence[str]]) -> Iterator[Decoy]:
    for problem in problems:
        yield from (Decoy(problem, program) for program in dict.fromkeys(programs[problem.id]))


def _read(path: Path, benchmark: str) -> dict[str, list[str]]:
    programs: dict[str, list[str]] = {}
    for row in read_rows(path, bounds=OF_ANSWERS):
        if row.error is not None:
            raise row.error.without_option()
        name = _field(row, "problem", "task_id")
        program = _field(row, "program", "solution", "code")
        programs.setdefault(problem_id(benchmark, name), []).append(program)
    return programs


def _field(row: Row, *names: str) -> str:
    for name in names:
        if (found := source_name(row.data.get(name))) is not None:
            return found
    raise TurnwiseError(f"{row.origin}: an incorrect program lacks the field {names[0]!r}.")
