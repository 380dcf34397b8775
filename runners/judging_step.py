"""Judging: the programs of a run that has been sampled, without a model; goes on where it stopped."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from turnwise.benchmarks.benchmark import Benchmark
from turnwise.benchmarks.catalog import BENCHMARKS
from turnwise.errors import TurnwiseError
from turnwise.files import write_atomically, write_synced
from turnwise.records.problem import Problem
from turnwise.records.run_folder import (
    RunFolder,
    RunRecord,
    Shard,
    digest_file,
    digest_line,
    plan_lines,
)
from turnwise.records.settings import JudgeSettings
from turnwise.records.trajectory import Trajectory
from turnwise.runners.drivers import run_asynchronously
from turnwise.runners.event_loops import InterruptibleRunner
from turnwise.runners.judging.judge import Judge, judge_record
from turnwise.runners.loading import LoadedTask, Machine, load_recorded
from turnwise.runners.work import Work
from turnwise.tasks.catalog import tasks_of


@dataclass(frozen=True, slots=True)
class Judged:
    """How judging went: dialogues that have been sampled, those not sampled yet, programs left unjudged."""

    sampled: int
    not_sampled: int
    unjudged: int


def load_run(folder: RunFolder, machine: Machine, benchmarks: Mapping[str, Benchmark] = BENCHMARKS) -> list[LoadedTask]:
    """Return the tasks of a run, which are tasks of ``benchmarks``, with their problems.

    Raises TurnwiseError if the data are others. What the run says of a user's own benchmark loads none.
    """
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
        stub_imports = folder.record.judge.stub_imports
        tasks.append(load_recorded(known[record.task], record, machine, stub_imports=stub_imports))
    return tasks


def judge(folder: RunFolder, tasks: Sequence[LoadedTask], machine: Machine) -> Judged:
    """Judge each program of a sampled run that has no judgement yet.

    Raises TurnwiseError if the judge is another than the run's (copy_for_judge makes a folder for one).
    """
    with Work(folder, record_of_judge(folder, machine), machine, step="judge") as work, InterruptibleRunner() as runner:
        return runner.run(_judge(folder, tasks, work))


def record_of_judge(folder: RunFolder, machine: Machine) -> RunRecord:
    """Return the run's record as it would be with the judge of ``machine``, to be compared with the frozen one."""
    record = folder.record
    environment = Judge(machine.executor, matcher=record.judge.matcher).environment
    judge = replace(record.judge, executor=environment.executor, interpreter=environment.interpreter)
    return replace(record, judge=judge)


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
    *,
    matcher: str,
    time_factor: float,
    stub_imports: bool = False,
) -> RunFolder:
    """Return a run folder at ``target`` with the same trajectories, to be judged with other settings.

    Raises TurnwiseError if ``target`` holds something else.
    """
    environment = Judge(machine.executor, matcher=matcher).environment
    settings = JudgeSettings(matcher, time_factor, stub_imports=stub_imports)
    record = replace(folder.record, judge=judge_record(environment, settings, judged_anew=True))
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


async def _judge(folder: RunFolder, tasks: Sequence[LoadedTask], work: Work) -> Judged:
    total = sum(len(shard.keys) for shard in folder.shards)
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
            yield problems[trajectory.problem], trajectory
