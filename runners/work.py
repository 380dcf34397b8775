"""One process at work in a run folder: its frozen settings, its judge, its logs of judgements and costs.

Opening it freezes run.json and the plan, or refuses a folder that holds a run with other settings. One
process at a time has a worker's name; on a cluster each has its own.
"""

import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from turnwise.benchmarks.differences import differences
from turnwise.errors import TurnwiseError
from turnwise.files import write_atomically
from turnwise.records.codec import to_json, to_line
from turnwise.records.judgement import Judgement, Place, places_of
from turnwise.records.problem import Problem
from turnwise.records.report import Report, Verdict
from turnwise.records.run_folder import RunFolder, RunRecord, Shard, cut_shards, plan_lines, plan_order
from turnwise.records.trajectory import Reply, Trajectory
from turnwise.runners.execution.host import cpu_model
from turnwise.runners.loading import Machine
from turnwise.runners.logs import AppendLog, Syncer
from turnwise.runners.store import SHARD_DIALOGUES

COST_SECONDS = 60.0


@dataclass(slots=True)
class Costs:
    """What this attempt has taken so far; one line of ``costs/<worker>.jsonl``, the last of an attempt counts."""

    step: str
    attempt: str = field(default_factory=lambda: f"{time.time_ns()}")
    started: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    host: str = field(default_factory=platform.node)
    cpu: str = field(default_factory=cpu_model)
    seconds: float = 0.0
    dialogues: int = 0
    model_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    failed_requests: int = 0
    judge_cpu_seconds: float = 0.0

    def add_reply(self, reply: Reply) -> None:
        """Count one call to the model."""
        self.model_calls += 1
        self.prompt_tokens += reply.prompt_tokens or 0
        self.completion_tokens += reply.completion_tokens or 0


class Work:
    """A run folder opened for work; use ``with``.

    ``judgements`` are those known already, by default all of the folder.

    Raises TurnwiseError if the folder holds a run with other settings, or another process works in it.
    """

    def __init__(
        self,
        folder: RunFolder,
        record: RunRecord,
        machine: Machine,
        *,
        step: str,
        judgements: Mapping[Place, Judgement] | None = None,
    ) -> None:
        self.folder = folder
        self.machine = machine
        self.costs = Costs(step)
        self.unjudged = 0
        self._began = self._cost_written = time.monotonic()
        folder.path.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            self._verdicts = AppendLog(folder.verdicts(machine.worker), exclusive=True)
            stack.callback(self._verdicts.close)
            freeze(folder, record)
            self._costs_log = AppendLog(folder.costs(machine.worker))
            stack.callback(self._costs_log.close)
            self.syncer = Syncer()
            stack.callback(self.syncer.close)
            self.syncer.watch(self._verdicts)
            if machine.judge is None:
                cache = machine.open_cache()
                stack.callback(cache.close)
                self.judge = machine.open_judge(record.judge, cache)
                stack.callback(self.judge.close)
            else:
                self.judge = machine.judge
            self._judgements = dict(folder.judgements() if judgements is None else judgements)
            stack.callback(self._write_costs)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    async def judge_trajectory(self, problem: Problem, trajectory: Trajectory, *, every_turn: bool = False) -> None:
        """Judge what is not judged yet of one dialogue: each program that passed the public tests.

        A program that failed them is wrong as it is; ``every_turn`` judges it all the same, for a judge that
        is not the one that gave the feedback.
        """
        for place, turn in zip(places_of(trajectory), trajectory.turns, strict=True):
            if place is None or turn.program is None or place in self._judgements:
                continue
            if every_turn or turn.public_report.public_passed:
                report = await self.judge.judge_async(problem, turn.program)
                key = self.judge.key(problem, turn.program)
                seconds, cpu = self.judge.time_limit_seconds(problem), self.judge.cpu(problem, key)
                judgement = judgement_of(place, report, key=key, limit_seconds=seconds, cpu=cpu)
                self._record(judgement, report, public_counted=not every_turn)

    def know(self, judgements: Iterable[Judgement]) -> None:
        """Take judgements of others, so that what they judged is not judged again."""
        for judgement in judgements:
            self._judgements.setdefault(judgement.place, judgement)

    def sync(self) -> None:
        """Wait until the judgements so far are on the disk."""
        self._verdicts.sync()

    def count_dialogue(self) -> None:
        """Count a dialogue that was carried to its end."""
        self.costs.dialogues += 1
        if time.monotonic() - self._cost_written > COST_SECONDS:
            self._write_costs()

    def count_public(self, cpu_seconds: float) -> None:
        """Count what the public tests of a dialogue that was just driven took."""
        self.costs.judge_cpu_seconds += cpu_seconds

    def _record(self, judgement: Judgement, report: Report, *, public_counted: bool) -> None:
        if report.verdict is Verdict.INFRASTRUCTURE_FAILURE:
            self.unjudged += 1
            return
        counted = report.public if public_counted else ()
        self.costs.judge_cpu_seconds += report.cpu_seconds - sum(result.cpu_seconds for result in counted)
        self._judgements[judgement.place] = judgement
        self._verdicts.write(to_line(judgement))

    def _write_costs(self) -> None:
        self._cost_written = time.monotonic()
        self.costs.seconds = round(self._cost_written - self._began, 3)
        self.costs.judge_cpu_seconds = round(self.costs.judge_cpu_seconds, 6)
        self._costs_log.write(to_line(self.costs))


def judgement_of(place: Place, report: Report, *, key: str, limit_seconds: float = 0.0, cpu: str = "") -> Judgement:
    """Return what a full report says of the program at ``place``, judged on a CPU of that model name."""
    results = report.public + (report.hidden or ())
    return Judgement(
        *place,
        verdict=report.verdict,
        public_passed=report.public_passed,
        tests_run=len(results),
        cpu_seconds=round(sum(result.cpu_seconds for result in results), 6),
        tier=report.environment.tier,
        key=key,
        limit_seconds=limit_seconds,
        slowest_seconds=round(max((result.cpu_seconds for result in results), default=0.0), 6),
        cpu=cpu,
        checked=report.checked,
    )


def cut_evenly(record: RunRecord) -> list[Shard]:
    """Return the plan of a run: its dialogues in shards of equal size."""
    shards: list[Shard] = []
    for task in record.tasks:
        order = plan_order(task, record.samples_per_problem)
        shards += cut_shards(task.task, order, size=SHARD_DIALOGUES)
    return shards


def freeze(folder: RunFolder, record: RunRecord, cut: Callable[[RunRecord], Sequence[Shard]] = cut_evenly) -> None:
    """Write run.json and the plan that ``cut`` makes; a plan that is there is kept.

    Raises TurnwiseError if those there are of another run.
    """
    if not folder.run_json.exists():
        write_atomically(folder.plan, plan_lines(cut(record)))
        folder.write_record(record)
        return
    check_same_run(folder, record)


def check_same_run(folder: RunFolder, record: RunRecord) -> None:
    """Raise TurnwiseError if ``folder`` holds a run, and another one than ``record``'s."""
    if not folder.run_json.exists():
        return
    frozen, wanted = to_json(folder.record), to_json(record)
    for part in frozen:
        if part != "command" and frozen[part] != wanted[part]:
            first = next(differences(frozen[part], wanted[part], part))
            there, here = first.values()
            raise TurnwiseError(
                f"The folder {str(folder.path)!r} holds another run ({first.place}: {there} there, {here} here): "
                "give another --output_path, or remove the folder."
            )
