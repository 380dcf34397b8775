"""Blocks of problems: the dialogues of some problems on their way from runs to lines of training data.

Of a problem one dialogue is in memory at a time, beside one shard of each run and the signatures of the programs that
are kept.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from turnwise.json_text import json_line
from turnwise.records.problem import Problem
from turnwise.records.training import NOT_LEARNT, DataReport, DataStep
from turnwise.records.trajectory import Trajectory
from turnwise.training.data.conversations import Conversation, Replay
from turnwise.training.data.counting import KINDS, SINGLE, StepCounts, kind_of
from turnwise.training.data.selection import Drop, Reason, Step, TaskDialogues, TrainingRun, sampled_tokens
from turnwise.training.data.similarity import Keeper
from turnwise.training.data.token_rows import Row

BLOCK_DIALOGUES = 4096


class RowMaker(Protocol):
    """Makes rows of token ids and labels of a conversation (training/data/token_rows.py)."""

    def rows_of(self, conversation: Conversation) -> Sequence[Row]:
        """Return the rows."""
        ...


@dataclass(frozen=True, slots=True)
class DataJob:
    """What data are made of: the runs, their problems by id, and what replays the dialogues of each (run, task).

    ``begun`` is the report as far as it is known before: all but steps and files. ``rows`` makes tokens, if any are
    wanted. A block has the problems of ``block`` dialogues that were asked for, or one.
    """

    runs: Sequence[TrainingRun]
    problems: Mapping[str, Problem]
    replays: Mapping[tuple[int, str], Replay]
    begun: DataReport
    rows: RowMaker | None = None
    block: int = BLOCK_DIALOGUES

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps there are: without tokens nothing is too long."""
        return tuple(step for step in Step if self.rows is not None or step is not Step.FITTING)

    def blocks(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """Yield the problems of each block, in the order in which the runs asked them, and their dialogues."""
        asked: Counter[str] = Counter()
        for run in self.runs:
            for task in run.tasks:
                for problem in task.asked:
                    asked[problem.id] += run.folder.record.samples_per_problem
        block: list[str] = []
        size = 0
        for name, dialogues in asked.items():
            if block and size + dialogues > self.block:
                yield tuple(block), size
                block, size = [], 0
            block.append(name)
            size += dialogues
        yield tuple(block), size


@dataclass(frozen=True, slots=True)
class Block:
    """The counts and lines of a block; ``tokens`` and ``labels`` count those in its rows."""

    steps: tuple[DataStep, ...]
    messages: Sequence[str]
    rows: Sequence[str]
    tokens: int
    labels: int


@dataclass(frozen=True, slots=True)
class _Learnt:
    """What is learnt of a dialogue, in so many tokens if they are made; ``drop`` says why nothing is."""

    conversation: Conversation | None = None
    rows: Sequence[Row] = ()
    tokens: int | None = None
    drop: Drop | None = None


class BlockMaker:
    """Makes the blocks of a job, best in their order."""

    def __init__(self, job: DataJob) -> None:
        self._job = job
        self._sources = [
            (
                run,
                TaskDialogues(run.folder, task.task),
                {problem.id: row for row, problem in enumerate(task.asked)},
                job.replays[number, task.task],
            )
            for number, run in enumerate(job.runs)
            for task in run.tasks
        ]

    def make(self, problems: Sequence[str]) -> Block:
        """Return the block of ``problems``; raises TurnwiseError for a shard that is damaged."""
        settings = self._job.begun.settings
        counts = StepCounts(self._job.steps)
        messages: list[str] = []
        lines: list[str] = []
        tokens = labels = 0
        for problem in problems:
            keepers = {kind: Keeper(settings.similarity, settings.most) for kind in KINDS}
            for conversation, rows in self._conversations(problem, keepers, counts):
                if settings.turns not in (kind_of(len(conversation.exchanges)), "all"):
                    continue
                messages.append(_line(conversation))
                for row in rows:
                    lines.append(json_line({"input_ids": row.input_ids, "labels": row.labels}))
                    tokens += len(row.input_ids)
                    labels += len(row.labels) - row.labels.count(NOT_LEARNT)
            counts.end_problem()
        return Block(counts.to_record(), messages, lines, tokens, labels)

    def _conversations(
        self, problem: str, keepers: Mapping[str, Keeper], counts: StepCounts
    ) -> Iterator[tuple[Conversation, Sequence[Row]]]:
        """Yield what is kept of the dialogues about a problem, and count all of them."""
        for run, dialogues, numbers, replay in self._sources:
            if problem not in numbers:
                continue
            for _, trajectory in dialogues.of(problem):
                if trajectory is None:
                    counts.take(SINGLE, (Step.JUDGED, Reason.NOT_SAMPLED), sampled=0, learnt=None)
                    continue
                kind = kind_of(len(trajectory.turns))
                drop = run.reason_against(trajectory, numbers[problem])
                drop = drop or self._drop_among_others(trajectory, keepers[kind])
                made = _Learnt() if drop else self._learnt(trajectory, replay, run.source.name)
                drop = drop or made.drop
                counts.take(kind, drop, sampled=sampled_tokens(trajectory), learnt=made.tokens)
                if drop is None and made.conversation is not None:
                    yield made.conversation, made.rows

    def _learnt(self, trajectory: Trajectory, replay: Replay, run: str) -> _Learnt:
        """Return what is to be learnt of a dialogue, or the step that drops it."""
        replayed = replay.replay(trajectory, self._job.problems[trajectory.problem], run)
        if isinstance(replayed, Reason):
            return _Learnt(drop=(Step.REPLAYED, replayed))
        if self._job.rows is None:
            return _Learnt(replayed)
        rows = self._job.rows.rows_of(replayed)
        lengths = [len(row.input_ids) for row in rows]
        is_long = max(lengths) > self._job.begun.settings.max_length
        return _Learnt(replayed, rows, sum(lengths), (Step.FITTING, Reason.TOO_LONG) if is_long else None)

    def _drop_among_others(self, trajectory: Trajectory, keeper: Keeper) -> Drop | None:
        if keeper.is_full:
            return Step.DISTINCT, Reason.MORE_THAN_MOST
        if not keeper.keeps(trajectory.turns[-1].program or ""):
            return Step.DISTINCT, Reason.NEAR_COPY
        if trajectory.problem in self._job.begun.contaminated:
            return Step.UNCONTAMINATED, Reason.CONTAMINATED
        return None


def _line(conversation: Conversation) -> str:
    return json_line(
        {
            "task": conversation.task,
            "problem": conversation.problem,
            "sample": conversation.sample,
            "run": conversation.run,
            "turns": len(conversation.exchanges),
            "messages": conversation.messages,
        }
    )
