"""Sampling: every dialogue of a run to its end, into the run folder; goes on where an earlier attempt stopped.

With ``judge_hidden`` each dialogue is judged as soon as it ends, beside those that go on; without, sampling
runs public tests only and ``judging`` does the rest.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import turnwise
from turnwise.records.problem import Problem
from turnwise.records.run_folder import RunFolder, RunRecord, Shard, checked
from turnwise.records.settings import JudgeSettings, PromptsRecord, RunSettings
from turnwise.records.trajectory import Reply, Trajectory
from turnwise.runners.drivers import drive, run_asynchronously
from turnwise.runners.event_loops import InterruptibleRunner
from turnwise.runners.execution.host import raise_descriptors
from turnwise.runners.judging.judge import Judge, judge_record
from turnwise.runners.loading import LoadedTask, Machine
from turnwise.runners.models.sampler import Model, Request, RequestError, Sampler
from turnwise.runners.store import Donor, ResumingSampler, ShardStore
from turnwise.runners.work import Costs, Work
from turnwise.tasks.decoys import DecoyPool
from turnwise.tasks.dialogue import Dialogue, DialoguePlan
from turnwise.tasks.plan import dialogue_plan
from turnwise.tasks.prompts import PromptSet

OPEN_PER_REQUEST = 4
_MOST_ERRORS = 20
_NUMBERS = re.compile(r"\b[\da-fA-F-]*\d[\da-fA-F-]*\b")  # of tokens, and the names of requests
_SERVED_DESCRIPTORS = 8192  # each request to a server has a connection


@dataclass(frozen=True, slots=True)
class Sampled:
    """How an attempt went: dialogues in the plan, those missing, the first reason, programs left unjudged.

    ``other_errors`` are the other reasons, those alike but for numbers and problem once.
    """

    dialogues: int
    missing: int
    first_error: str
    unjudged: int
    other_errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked of whom: tasks with their problems, the model, the settings, the prompts, decoys by task."""

    tasks: Sequence[LoadedTask]
    sampler: Model
    settings: RunSettings
    prompts: PromptSet
    command: str = ""
    decoys: Mapping[str, DecoyPool] = field(default_factory=dict)
    judge: JudgeSettings = field(default_factory=JudgeSettings)

    def to_record(self, machine: Machine) -> RunRecord:
        """Return run.json for this job on ``machine``; its isolation tier decides no result and is left out."""
        environment = Judge(machine.executor, matcher=self.judge.matcher).environment
        record = RunRecord(
            turnwise=turnwise.__version__,
            model=dict(self.sampler.description),
            settings=replace(self.settings, decoys={task: pool.to_record() for task, pool in self.decoys.items()}),
            judge=judge_record(environment, self.judge),
            prompts=PromptsRecord(self.prompts.name, dict(self.prompts.hashes)),
            tasks=tuple(loaded.to_record(self.settings) for loaded in self.tasks),
            command=self.command,
        )
        return checked(record, "What is asked")

    def plan_of(self, loaded: LoadedTask) -> DialoguePlan:
        """Return what the dialogues of one task share."""
        return dialogue_plan(self.settings, loaded.task, self.prompts, self.decoys.get(loaded.task.name))


def sample(
    job: Job,
    machine: Machine,
    *,
    output: Path,
    judge_hidden: bool = True,
    donor: Donor | None = None,
    runner: InterruptibleRunner | None = None,
) -> Sampled:
    """Carry every dialogue of ``job`` to its end in the run folder ``output``; what the ``donor`` has is not asked.

    The model is closed at the end, unless it is asked in the loop of ``runner``, whose owner goes on with it.

    Raises TurnwiseError if ``output`` holds another run, is damaged, or another process works in it.
    """
    with Work(RunFolder(output), job.to_record(machine), machine, step="sample") as work:
        shards = work.folder.shards
        for shard in shards:
            work.folder.check_shard(shard)  # before the model is asked anything
        sampling = Sampling(job, work, judge_hidden=judge_hidden, donor=donor)
        if runner is not None:
            return runner.run(_carry_all(sampling, shards))
        with InterruptibleRunner() as own:
            return own.run(_carry_all_and_close(sampling, shards))


async def _carry_all(sampling: "Sampling", shards: Sequence[Shard]) -> Sampled:
    return await sampling.carry(shards, dialogues=sum(len(shard.keys) for shard in shards))


async def _carry_all_and_close(sampling: "Sampling", shards: Sequence[Shard]) -> Sampled:
    try:
        return await _carry_all(sampling, shards)
    finally:
        await sampling.close()


class Sampling:
    """Carries dialogues of a run folder to their ends, a number of shards at a time; the model is asked by it alone.

    What the ``donor`` has is not asked. ``on_commit`` is told each shard that stands in the folder whole.
    """

    def __init__(
        self,
        job: Job,
        work: Work,
        *,
        judge_hidden: bool,
        donor: Donor | None = None,
        on_commit: Callable[[Shard], None] = lambda _: None,
    ) -> None:
        self._job = job
        self._work = work
        self._judge_hidden = judge_hidden
        self._on_commit = on_commit
        # Problems of two splits may have one id.
        self._problems: dict[tuple[str, str], Problem] = {
            (loaded.task.name, one.id): one for loaded in job.tasks for one in loaded.asked
        }
        self._asking = _CountingSampler(job.sampler, work.costs)
        self._resuming = ResumingSampler(self._asking, donor)

    async def carry(self, shards: Iterable[Shard], *, dialogues: int) -> Sampled:
        """Carry all dialogues of ``shards``, taken one by one as there is room; ``dialogues`` is how many they are."""
        done = missing = 0
        if self._job.sampler.gate is not None:
            raise_descriptors(_SERVED_DESCRIPTORS)
        try:
            async for trajectory in run_asynchronously(
                self._open(shards), self._carry, concurrency=self._concurrency, room=self._job.sampler.gate
            ):
                done += 1
                missing += trajectory.is_missing
                self._work.count_dialogue()
                self._work.machine.report("dialogues", done, dialogues)
        finally:
            self._resuming.close()
        first, *others = self._asking.errors or [""]
        return Sampled(dialogues, missing, first, self._work.unjudged, tuple(others))

    async def close(self) -> None:
        """Let go of the model."""
        await self._job.sampler.close()

    def _concurrency(self) -> int:
        """Return how many dialogues may be open, at the model or being judged.

        The model is never kept waiting by judging before several times as many dialogues wait for their tests
        as are at the model: then judging is what takes the time, and more would only take memory.
        """
        gate = self._job.sampler.gate
        judged = 2 * self._work.machine.workers
        return judged if gate is None else judged + OPEN_PER_REQUEST * gate.limit

    def _open(self, shards: Iterable[Shard]) -> Iterator[tuple[ShardStore, Dialogue, Trajectory | None]]:
        plans = {loaded.task.name: self._job.plan_of(loaded) for loaded in self._job.tasks}
        for shard in shards:
            store = ShardStore(self._work.folder, shard, syncer=self._work.syncer)
            self._resuming.add(store)
            finished = {(one.problem, one.sample): one for one in store.finished()}
            for problem, sample_number in shard.keys:
                dialogue = Dialogue(self._problems[shard.task, problem], sample_number, plans[shard.task])
                yield store, dialogue, finished.get((problem, sample_number))

    async def _carry(self, item: tuple[ShardStore, Dialogue, Trajectory | None]) -> Trajectory:
        store, dialogue, trajectory = item
        if trajectory is None:
            await drive(dialogue, self._resuming, self._work.judge)
            trajectory = dialogue.trajectory()
            self._work.count_public(dialogue.judge_cpu_seconds)
        if store.add_trajectory(trajectory):
            await asyncio.to_thread(store.commit)
            self._resuming.drop(store)
            self._on_commit(store.shard)
        if self._judge_hidden:
            await self._work.judge_trajectory(dialogue.problem, trajectory)
        return trajectory


class _CountingSampler:
    """Counts the calls that reach the model, and keeps the reasons why some failed: each once."""

    def __init__(self, sampler: Sampler, costs: Costs) -> None:
        self._sampler = sampler
        self._costs = costs
        self._errors: dict[str, str] = {}
        self.description = sampler.description

    @property
    def errors(self) -> list[str]:
        """The reasons in the order in which they came, without those that differ in numbers or problem alone."""
        return list(self._errors.values())

    async def generate(self, request: Request) -> Reply | None:
        try:
            reply = await self._sampler.generate(request)
        except RequestError as error:
            self._costs.failed_requests += 1
            if len(self._errors) < _MOST_ERRORS:
                kind = _NUMBERS.sub("", str(error).replace(request.problem, ""))
                self._errors.setdefault(kind, str(error))
            raise
        if reply is not None:
            self._costs.add_reply(reply)
        return reply
