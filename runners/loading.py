"""Loading what a run asks: a task's problems, which of them are asked, their expected outputs, and decoys.

Decoys are the data set's incorrect solutions, or come from a file of programs that are said to be wrong: JSON lines
with a ``problem`` (or ``task_id``) and a ``program`` (or ``solution``, ``code``) each. Nothing is run for them but the
canonical solutions of problems whose expected outputs are not known yet.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from turnwise.benchmarks.catalog import ProblemSet, load_problems
from turnwise.benchmarks.checkers.checker_sets import load_checkers, validators_of
from turnwise.benchmarks.ids import problem_id, source_name
from turnwise.benchmarks.rows import OF_ANSWERS, Row, digest_files, read_rows
from turnwise.errors import TurnwiseError
from turnwise.records.choices import TestsChoice
from turnwise.records.own_solutions import Finding
from turnwise.records.problem import UNSCORABLE_FLAGS, Problem
from turnwise.records.run_folder import MOST_DIALOGUES, AskedProblem, TaskRecord
from turnwise.records.settings import EQUALITY, JudgeRecord, JudgeSettings, OnError, RunSettings
from turnwise.runners.execution.interface import Executor
from turnwise.runners.judging.checking import Checkers, constraints_broken
from turnwise.runners.judging.expected import resolve_expected
from turnwise.runners.judging.judge import Judge
from turnwise.runners.judging.verdicts import SharedCache, VerdictCache
from turnwise.runners.verified import ASK_ALL, VerifiedProblems
from turnwise.tasks.catalog import Task
from turnwise.tasks.decoys import Decoy, DecoyPool
from turnwise.tasks.plan import strategy_of, turns_of
from turnwise.texts import encodable, shown

Progress = Callable[[str, int, int], None]
_LOGGER = logging.getLogger(__name__)
DEFAULT_JUDGE = JudgeSettings()


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and how a run is carried out; decides no result.

    ``worker`` names this process among those that work in one run folder; ``judge`` is one that several runs
    share, with the matcher and time factor of all of them. ``checkers`` run what judges beside the executor.
    """

    executor: Executor
    cache_dir: Path
    data_dir: Path | None = None
    environ: dict[str, str] | None = None
    workers: int = 1
    on_progress: Progress | None = None
    worker: str = "main"
    judge: Judge | None = None
    checkers: Checkers = field(default_factory=Checkers)

    def open_cache(self) -> SharedCache:
        """Return the verdicts of all runs of this user; whoever opens it closes it."""
        return SharedCache(self.cache_dir / "verdicts")

    def open_judge(self, settings: JudgeSettings | JudgeRecord, cache: VerdictCache) -> Judge:
        """Return the judge of a run with these ``settings``; whoever opens it closes it."""
        return Judge(
            self.executor,
            matcher=settings.matcher,
            cache=cache,
            time_factor=settings.time_factor,
            workers=self.workers,
            checkers=self.checkers,
        )

    def report(self, what: str, done: int, total: int) -> None:
        """Tell whoever watches how far ``what`` is."""
        if self.on_progress is not None:
            self.on_progress(what, done, total)


@dataclass(frozen=True, slots=True)
class LoadedTask:
    """A task with its problems: all that were loaded, and the scorable ones that are asked.

    ``untestable`` were to be asked, and have no valid hidden test. ``left_out`` were, too, and of a training task their
    ``own_solutions`` (so many of each) do not pass the judge; it says what was found instead.
    """

    task: Task
    source: ProblemSet
    asked: tuple[Problem, ...]
    untestable: tuple[Problem, ...] = ()
    left_out: Mapping[str, Finding] = field(default_factory=dict)
    own_solutions: int = 0

    def to_record(self, settings: RunSettings) -> TaskRecord:
        """Return what run.json says of the task under ``settings``."""
        return TaskRecord(
            task=self.task.name,
            benchmark=self.task.benchmark.name,
            split=self.task.split,
            max_turns=turns_of(settings, self.task),
            strategy=strategy_of(settings, self.task).name,
            data_sha256=self.source.digest,
            loaded=len(self.source.problems),
            asked=tuple(AskedProblem(one.id, one.difficulty, tuple(map(str, one.flags))) for one in self.asked),
            left_out={
                **{
                    one.id: tuple(map(str, one.flags))
                    for one in (*self.source.problems, *self.untestable)
                    if not one.is_scorable
                },
                **{
                    one.id: (*map(str, one.flags), self.left_out[one.id].value)
                    for one in self.source.problems
                    if one.id in self.left_out
                },
            },
            broken_rows=tuple(map(str, self.source.broken_rows)),
            benchmark_sha256=self.task.benchmark.sha256,
            own_solutions=self.own_solutions,
            **self.judged_by(),
        )

    def judged_by(self) -> dict[str, Any]:
        """Return what run.json says of how the problems are judged: fields of TaskRecord."""
        return {
            "checked": sum(one.is_checked or one.stated is not None for one in self.asked),
            "invalid_tests": {one.id: one.invalid_tests for one in self.asked if one.invalid_tests},
        }


def load_task(
    task: Task,
    settings: RunSettings,
    machine: Machine,
    judge: JudgeSettings = DEFAULT_JUDGE,
    *,
    verified: VerifiedProblems | None = None,
) -> LoadedTask:
    """Return the task's problems that ``settings`` ask, as ``judge`` judges them, expected outputs computed.

    Raises TurnwiseError as ``open_task`` does.
    """
    opened = open_task(task, settings, data_dir=machine.data_dir, environ=machine.environ, verified=verified)
    return resolve_task(opened, machine, judge)


def resolve_task(
    opened: LoadedTask, machine: Machine, judge: JudgeSettings, *, with_expected: bool = True
) -> LoadedTask:
    """Return the task that ``open_task`` opened, its problems as they are judged: expected outputs computed.

    ``with_expected`` False leaves those out, so that no program is run but validators. Problems without a valid hidden
    test are left out. Raises TurnwiseError if no other is there.
    """
    if with_expected:
        resolved = resolve_problems(opened.task, opened.asked, machine, judge)
    else:
        resolved = as_judged(opened.task.name, opened.asked, machine, judge)
    asked = tuple(problem for problem in resolved if problem.is_scorable)
    if not asked:
        raise TurnwiseError(
            f"None of the {len(resolved)} problems asked of {opened.task.name} has a hidden test whose input keeps to "
            f"its statement: give --tests {TestsChoice.ALL.value}."
        )
    return replace(opened, asked=asked, untestable=tuple(one for one in resolved if not one.is_scorable))


def open_task(
    task: Task,
    settings: RunSettings,
    *,
    data_dir: Path | None = None,
    environ: dict[str, str] | None = None,
    verified: VerifiedProblems | None = None,
) -> LoadedTask:
    """Return the task's problems that ``settings`` ask, as the data have them: no program is run.

    Of a training task those are asked of which ``verified`` knows that they are kept, unless the settings ask all.
    Raises TurnwiseError if data is missing or broken, no problem can be scored, one is asked that is not there or not
    kept, or nothing is known of one that might be.
    """
    source = _load(task, settings.on_error, data_dir, environ)
    if not source.scorable:
        flags = sorted({flag for problem in source.problems for flag in problem.flags if flag in UNSCORABLE_FLAGS})
        reasons = [f"; {one.id} since {one.contradiction}" for one in source.problems if one.contradiction]
        raise TurnwiseError(
            f"None of the {len(source.problems)} problems of {task.name} ({source.source}) can be scored: "
            f"their rows are flagged {', '.join(flags)} (docs/data.md says what that means{''.join(reasons[:1])})."
        )
    is_chosen = task.name in settings.samples
    asked = _chosen(task, source, settings.samples[task.name]) if is_chosen else source.scorable
    left_out: dict[str, Finding] = {}
    if verified is not None and task.is_training and settings.own_solutions:
        asked, left_out = _kept(task, source, asked, verified, limit=None if is_chosen else settings.limit)
        if is_chosen and left_out:
            name, finding = next(iter(left_out.items()))
            raise TurnwiseError(
                f"--samples names {name}, which is left out ({finding}): leave it out, or ask all by {ASK_ALL}."
            )
    if not is_chosen:
        asked = _first(asked, settings.limit)
    if settings.samples_per_problem * len(asked) > MOST_DIALOGUES:
        raise TurnwiseError(
            f"samples_per_problem is {shown(settings.samples_per_problem)}: of {len(asked)} problems of {task.name} a "
            f"run has {MOST_DIALOGUES} dialogues at most; give {MOST_DIALOGUES // len(asked)} or fewer."
        )
    is_verified = verified is not None and task.is_training
    return LoadedTask(
        task, source, asked, left_out=left_out, own_solutions=settings.own_solutions if is_verified else 0
    )


def _kept(
    task: Task, source: ProblemSet, problems: Sequence[Problem], verified: VerifiedProblems, *, limit: float | None
) -> tuple[tuple[Problem, ...], dict[str, Finding]]:
    """Return the ``problems`` that are kept, up to a ``limit`` that is a number, and what was found of the others.

    Raises TurnwiseError if nothing is known of one, or none is kept.
    """
    findings = verified.find(task, source)
    kept: list[Problem] = []
    left_out: dict[str, Finding] = {}
    for problem in problems:
        if limit is not None and limit >= 1 and len(kept) >= int(limit):
            break
        finding = findings.get(problem.id)
        if finding is None:
            raise verified.refusal(task, sum(one.id not in findings for one in problems))
        if finding is Finding.KEPT:
            kept.append(problem)
        else:
            left_out[problem.id] = finding
    if not kept:
        raise TurnwiseError(
            f"None of the {len(problems)} problems of {task.name} is kept, since their own solutions do not pass this "
            f"judge: give another judge, or ask all by {ASK_ALL}."
        )
    return tuple(kept), left_out


def load_recorded(task: Task, record: TaskRecord, machine: Machine, judge: JudgeSettings) -> LoadedTask:
    """Return the problems that a run asked, for judging what it sampled by ``judge``.

    Raises TurnwiseError if the data at hand, or the user's own benchmark, are not those the run was made with.
    """
    own = task.benchmark.sha256
    if own != record.benchmark_sha256:
        raise TurnwiseError(
            f"The benchmark of {task.name} is not that of the run (sha256 {own[:12] or 'none'}, not "
            f"{record.benchmark_sha256[:12] or 'none'}): give --benchmark the file it was sampled with."
        )
    source = _load(task, "skip" if record.broken_rows else "raise", machine.data_dir, machine.environ)
    if source.digest != record.data_sha256:
        raise TurnwiseError(
            f"The data of {task.name} ({source.source}) are not those of the run (sha256 {source.digest[:12]}, "
            f"not {record.data_sha256[:12]}): give the --data-dir it was sampled with."
        )
    by_id = {problem.id: problem for problem in source.problems}
    if unknown := next((one.id for one in record.asked if one.id not in by_id), ""):
        raise TurnwiseError(
            f"The run asked {shown(unknown, limit=80)}, which the data of {task.name} ({source.source}) do not hold: "
            "its run.json is damaged."
        )
    asked = resolve_problems(task, [by_id[one.id] for one in record.asked], machine, judge)
    testable = tuple(problem for problem in asked if problem.is_scorable)
    return LoadedTask(task, source, testable, tuple(problem for problem in asked if not problem.is_scorable))


def _load(task: Task, on_error: OnError, data_dir: Path | None, environ: dict[str, str] | None) -> ProblemSet:
    return load_problems(
        task.benchmark,
        split=task.split,
        data_dir=data_dir,
        difficulties=(task.difficulty,) if task.difficulty else (),
        environ=environ,
        on_error=on_error,
    )


def resolve_problems(
    task: Task, problems: Sequence[Problem], machine: Machine, judge: JudgeSettings
) -> tuple[Problem, ...]:
    """Return the problems as ``judge`` judges them, expected outputs computed."""
    resolved = resolve_expected(
        problems,
        machine.executor,
        cache_dir=machine.cache_dir,
        workers=machine.workers,
        on_progress=lambda done, total: machine.report(f"{task.name}: expected outputs", done, total),
    )
    with_stub_imports = task.benchmark.with_stub_imports
    if judge.stub_imports and with_stub_imports:
        resolved = tuple(map(with_stub_imports, resolved))
    return as_judged(task.name, resolved, machine, judge)


def as_judged(name: str, problems: Sequence[Problem], machine: Machine, judge: JudgeSettings) -> tuple[Problem, ...]:
    """Return the problems of the task ``name`` with the answers that are right for ``judge`` and the tests it uses."""
    return _with_valid_tests(name, _with_answers(problems, judge), machine, judge)


def _with_answers(problems: Sequence[Problem], judge: JudgeSettings) -> tuple[Problem, ...]:
    """Return the problems with what says which outputs are right for ``judge``: checkers, stated rules, or neither."""
    if judge.answers == EQUALITY:
        return tuple(replace(problem, stated=None) for problem in problems)
    answers = load_checkers(judge.answers)
    for problem in problems:
        if reason := answers.reason_against(problem.id):
            _LOGGER.warning("turnwise: the checker of %s is not used: %s.", problem.id, reason)
    return tuple(replace(problem, checker=answers.find(problem.id)) for problem in problems)


def _with_valid_tests(
    name: str, problems: Sequence[Problem], machine: Machine, judge: JudgeSettings
) -> tuple[Problem, ...]:
    """Return the problems without the tests that ``judge`` leaves out: those whose input breaks the statement."""
    if judge.tests != TestsChoice.VALID:
        return tuple(problems)
    answers, folder = validators_of(judge), machine.cache_dir / "validity"
    found = {problem.id: answers.find(problem.id) for problem in problems}
    validators = {name: checker for name, checker in found.items() if checker is not None and checker.validates}
    done = 0

    def validated(problem: Problem) -> Problem:
        nonlocal done
        if problem.id not in validators:
            return problem
        tests = problem.public_tests + problem.hidden_tests
        broken = constraints_broken(validators[problem.id], tests, machine.checkers, folder)
        done += 1
        machine.report(f"{name}: valid tests", done, len(validators))
        invalid = {number for number, constraint in enumerate(broken) if constraint}
        return problem.without_tests(invalid) if invalid else problem

    with ThreadPoolExecutor(max_workers=machine.workers) as pool:
        return tuple(pool.map(validated, problems))


def _first(problems: tuple[Problem, ...], limit: float | None) -> tuple[Problem, ...]:
    if limit is None:
        return problems
    return problems[: int(limit) if limit >= 1 else max(1, int(limit * len(problems)))]


def _chosen(task: Task, source: ProblemSet, which: Sequence[int | str]) -> tuple[Problem, ...]:
    chosen = []
    for one in which:
        if isinstance(one, int) and not 0 <= one < len(source.scorable):
            raise TurnwiseError(
                f"--samples names problem {one} of {task.name}, which has {len(source.scorable)} scorable ones: "
                f"give 0 to {len(source.scorable) - 1}, or ids."
            )
        problem = source.scorable[one] if isinstance(one, int) else source.find(one)
        if not problem.is_scorable:
            raise TurnwiseError(
                f"--samples names {problem.id}, which cannot be scored ({problem.shown_flags}): leave it out."
            )
        chosen.append(problem)
    return tuple(dict.fromkeys(chosen))


def load_decoys(
    tasks: Sequence[LoadedTask],
    settings: RunSettings,
    machine: Machine,
    judge: JudgeSettings = DEFAULT_JUDGE,
    *,
    path: Path | None = None,
    runnable: bool = True,
) -> dict[str, DecoyPool]:
    """Return the pool of each task that is told of random programs, as ``judge`` judges them; none where no task is.

    Unless they have to be ``runnable``, no program is run here.

    Raises TurnwiseError if there are too few, or the file at ``path`` cannot be read.
    """
    wanted = [loaded for loaded in tasks if strategy_of(settings, loaded.task).uses_random_feedback]
    return {loaded.task.name: _load_pool(loaded, machine, judge, path, runnable) for loaded in wanted}


def _load_pool(
    loaded: LoadedTask, machine: Machine, judge: JudgeSettings, path: Path | None, runnable: bool
) -> DecoyPool:
    if path is None:
        source = f"{loaded.task.benchmark.name}/{loaded.task.split}"
        programs: Mapping[str, Sequence[str]] = {one.id: one.incorrect_solutions for one in loaded.source.problems}
    else:
        if not path.is_file():
            raise TurnwiseError(f"The file of incorrect programs {str(path)!r} does not exist: give another.")
        source = f"{encodable(path.name)} (sha256 {digest_files([path])[:12]})"
        programs = _read_programs(path, loaded.task.benchmark.name)
    asked = {problem.id: problem for problem in loaded.asked}
    chosen = [asked.get(one.id, one) for one in loaded.source.problems if programs.get(one.id)]
    if runnable:
        known = resolve_expected(chosen, machine.executor, cache_dir=machine.cache_dir, workers=machine.workers)
        others = as_judged(loaded.task.name, [one for one in known if one.id not in asked], machine, judge)
        judged = {problem.id: problem for problem in others}
        chosen = [judged.get(one.id, one) for one in known]
    return DecoyPool(_decoys(chosen, programs), source=source)


def _decoys(problems: Sequence[Problem], programs: Mapping[str, Sequence[str]]) -> Iterator[Decoy]:
    for problem in problems:
        yield from (Decoy(problem, program) for program in dict.fromkeys(programs[problem.id]))


def _read_programs(path: Path, benchmark: str) -> dict[str, list[str]]:
    programs: dict[str, list[str]] = {}
    for row in read_rows(path, bounds=OF_ANSWERS):
        if row.error is not None:
            raise row.error.without_option()
        name = _name_in(row, "problem", "task_id")
        program = _name_in(row, "program", "solution", "code")
        programs.setdefault(problem_id(benchmark, name), []).append(program)
    return programs


def _name_in(row: Row, *names: str) -> str:
    for name in names:
        if (found := source_name(row.data.get(name))) is not None:
            return found
    raise TurnwiseError(f"{row.origin}: an incorrect program lacks the field {names[0]!r}.")
