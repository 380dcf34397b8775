"""Judging: the programs of a run that has been sampled, without a model; goes on where it stopped."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from turnwise.benchmarks.benchmark import Benchmark
from turnwise.benchmarks.catalog import BENCHMARKS
from turnwise.benchmarks.checkers.checker_sets import BUNDLED, load_checkers
from turnwise.errors import TurnwiseError
from turnwise.files import write_atomically, write_synced
from turnwise.records.judgement import places_of
from turnwise.records.problem import Problem
from turnwise.records.report import Verdict
from turnwise.records.run_folder import (
    RunFolder,
    RunRecord,
    Shard,
    digest_file,
    digest_line,
    plan_lines,
)
from turnwise.records.settings import EQUALITY, JudgeRecord, JudgeSettings
from turnwise.records.trajectory import Trajectory
from turnwise.runners.drivers import run_asynchronously
from turnwise.runners.event_loops import InterruptibleRunner
from turnwise.runners.judging.judge import Judge, judge_record
from turnwise.runners.loading import LoadedTask, Machine, load_recorded
from turnwise.runners.work import Work
from turnwise.tasks.catalog import tasks_of
from turnwise.texts import shown


@dataclass(frozen=True, slots=True)
class Judged:
    """How judging went: dialogues that have been sampled, those not sampled yet, programs left unjudged."""

    sampled: int
    not_sampled: int
    unjudged: int


def load_run(
    folder: RunFolder,
    machine: Machine,
    benchmarks: Mapping[str, Benchmark] = BENCHMARKS,
    judge: JudgeSettings | None = None,
) -> list[LoadedTask]:
    """Return the tasks of a run, which are tasks of ``benchmarks``, with their problems as ``judge`` judges them.

    That is by default the run's own judge. Raises TurnwiseError if the data are others. What the run says of a user's
    own benchmark or checkers loads none.
    """
    judge = judge or settings_of(folder.record.judge)
    tasks, known = [], tasks_of(benchmarks)
    for record in folder.record.tasks:
        if record.task not in known:
            digest = record.benchmark_sha256[:12]
            remedy = (
                f": give --benchmark the file of it, or its name if it is installed (sha256 {digest})" if digest else ""
            )
            raise TurnwiseError(
                f"{str(folder.run_json)!r} names the task {record.task!r}, which is unknown here{remedy}."
            )
        tasks.append(load_recorded(known[record.task], record, machine, judge))
    return tasks


def judge(
    folder: RunFolder, tasks: Sequence[LoadedTask], machine: Machine, settings: JudgeSettings | None = None
) -> Judged:
    """Judge each program of a sampled run that has no judgement yet; by default as the run says.

    Raises TurnwiseError if the judge is another than the run's (copy_for_judge makes a folder for one).
    """
    record = record_of_judge(folder, machine, settings)
    with Work(folder, record, machine, step="judge") as work, InterruptibleRunner() as runner:
        return runner.run(_judge(folder, tasks, work))


def settings_of(record: JudgeRecord, *, answers: str = "") -> JudgeSettings:
    """Return the settings of the judge of a run, whose set of checkers is ``answers`` where that is not the package's.

    Raises TurnwiseError if it is another set, or none was named.
    """
    if record.answers in (EQUALITY, *BUNDLED):
        answers = record.answers
    elif not answers or load_checkers(answers).name != record.answers:
        raise TurnwiseError(
            f"The run is judged by the checkers {shown(record.answers)} (sha256 {record.answers_sha256[:12]}): give "
            "--answers their folder."
        )
    return JudgeSettings(
        record.matcher, record.time_factor, stub_imports=record.stub_imports, answers=answers, tests=record.tests
    )


def record_of_judge(folder: RunFolder, machine: Machine, judge: JudgeSettings | None = None) -> RunRecord:
    """Return the run's record as it would be with ``judge`` on ``machine``, to be compared with the frozen one."""
    record = folder.record
    environment = Judge(machine.executor, matcher=record.judge.matcher).environment
    judge = judge or settings_of(record.judge)
    return replace(record, judge=judge_record(environment, judge, judged_anew=record.judge.judged_anew))


async def judge_shard(folder: RunFolder, shard: Shard, problems: Mapping[str, Problem], work: Work) -> None:
    """Judge what is not judged yet of one committed shard."""
    every_turn = folder.record.judge.judged_anew

    async def carry(trajectory: Trajectory) -> None:
        await work.judge_trajectory(problems[trajectory.problem], trajectory, every_turn=every_turn)

    async for _ in run_asynchronously(
        folder.read_shard(shard) or (), carry, concurrency=lambda: 2 * work.machine.workers
    ):
        work.count_dialogue()


def copy_for_judge(
    folder: RunFolder,
    target: Path,
    machine: Machine,
    settings: JudgeSettings,
    tasks: Sequence[LoadedTask],
) -> RunFolder:
    """Return a run folder at ``target`` with the same trajectories, to be judged with other ``settings``.

    ``tasks`` are those of the run as that judge has them. Raises TurnwiseError if ``target`` holds something else.
    """
    environment = Judge(machine.executor, matcher=settings.matcher).environment
    judged_by = {loaded.task.name: loaded.judged_by() for loaded in tasks}
    record = replace(
        folder.record,
        judge=judge_record(environment, settings, judged_anew=True),
        tasks=tuple(replace(one, **judged_by.get(one.task, {})) for one in folder.record.tasks),
    )
    copy = RunFolder(target)
    if copy.run_json.exists():
        if copy.record != record:
            raise TurnwiseError(f"The folder {str(target)!r} holds another run: give another --output_path.")
        return copy
    if target.exists() and any(target.iterdir()):
        raise TurnwiseError(f"The folder {str(target)!r} is not empty: give another --output_path.")
    for shard in folder.shards:
        folder.read_shard(shard)  # what is copied has to be whole
    _copy(folder, target.resolve(), record)
    return copy


def _copy(source: RunFolder, target: Path, record: RunRecord) -> None:
    """Write the committed shards of ``source`` and ``record`` to ``target``, whole or not at all."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        write_atomically(unfinished / source.plan.name, plan_lines(source.shards))
        for shard in source.shards:
            data = source.check_shard(shard)
            if data is not None:
                copied = unfinished / source.shard_file(shard).relative_to(source.path)
                copied.parent.mkdir(parents=True, exist_ok=True)
                write_synced(copied, data)
                write_synced(digest_file(copied), digest_line(copied, data).encode("ascii"))
        RunFolder(unfinished).write_record(record)
        unfinished.replace(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Changes:
    """What another judge changed in a run: verdicts by (before, after), of so many; and what dialogues had been told.

    ``told_wrong`` counts the dialogues that were told that a program fails which the other judge passes, ``told_right``
    those whose program passed the public tests and does not pass the other judge's.
    """

    programs: int
    verdicts: Mapping[tuple[Verdict, Verdict], int]
    dialogues: int
    told_wrong: int
    told_right: int


def compare_judges(before: RunFolder, after: RunFolder) -> Changes:
    """Return what the judge of ``after``, a copy of ``before``, found else; programs that both judged are compared.

    A program that failed its public tests has no judgement of its own: its verdict is that of its public report.
    """
    old, new = before.judgements(), after.judgements()
    verdicts: Counter[tuple[Verdict, Verdict]] = Counter()
    programs = dialogues = told_wrong = told_right = 0
    for task in before.record.tasks:
        for trajectory in before.trajectories(task.task):
            dialogues += 1
            was_told_wrong = was_told_right = False
            for number, (place, turn) in enumerate(zip(places_of(trajectory), trajectory.turns, strict=True), 1):
                if place is None or place not in new:
                    continue
                told = turn.public_report.public_passed
                if place in old or not told:
                    verdict = old[place].verdict if place in old else turn.public_report.verdict
                    programs += 1
                    verdicts[verdict, new[place].verdict] += verdict is not new[place].verdict
                if number < len(trajectory.turns):
                    was_told_wrong |= new[place].passed and not told
                was_told_right |= told and not new[place].public_passed
            told_wrong += was_told_wrong
            told_right += was_told_right
    return Changes(
        programs, {pair: count for pair, count in verdicts.items() if count}, dialogues, told_wrong, told_right
    )


async def _judge(folder: RunFolder, tasks: Sequence[LoadedTask], work: Work) -> Judged:
    untestable = {problem.id for loaded in tasks for problem in loaded.untestable}
    total = sum(problem not in untestable for shard in folder.shards for problem, _ in shard.keys)
    every_turn = folder.record.judge.judged_anew

    async def carry(item: tuple[Problem, Trajectory]) -> None:
        await work.judge_trajectory(*item, every_turn=every_turn)

    done = 0
    work.machine.report("judging", done, total)
    async for _ in run_asynchronously(_sampled(folder, tasks), carry, concurrency=lambda: 2 * work.machine.workers):
        done += 1
        work.count_dialogue()
        work.machine.report("judging", done, total)
    return Judged(done, total - done, work.unjudged)


def _sampled(folder: RunFolder, tasks: Sequence[LoadedTask]) -> Iterator[tuple[Problem, Trajectory]]:
    for loaded in tasks:
        problems = {problem.id: problem for problem in loaded.asked}
        for trajectory in folder.trajectories(loaded.task.name):
            if trajectory.problem in problems:
                yield problems[trajectory.problem], trajectory
