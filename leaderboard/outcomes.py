"""Outcomes: what came of each dialogue at each turn budget, as arrays, from trajectories and judgements.

A run with at most N turns holds the runs with T < N: cut after turn T, a dialogue submits the program of
that turn. What is not known is missing, never wrong: a request or a machine that failed, a program that
passed the public tests and has not been judged, a dialogue that has not been sampled.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from turnwise.errors import TurnwiseError
from turnwise.records.judgement import Judgement, Place, places_of
from turnwise.records.report import Verdict
from turnwise.records.run_folder import AskedProblem, RunFolder, RunRecord, TaskRecord
from turnwise.records.settings import JudgeRecord
from turnwise.records.training import model_label
from turnwise.records.trajectory import End, Trajectory

MISSING = -1
# Is shown each dialogue as it is read: the run's path, the task, the dialogue, the run's judgements.
Witness = Callable[[Path, str, Trajectory, Mapping[Place, Judgement]], None]
Dialogues = Callable[[str], tuple[Iterator[Trajectory], Mapping[Place, Judgement]]]


class Gap(StrEnum):
    """Why an outcome is missing."""

    NOT_SAMPLED = "not_sampled"
    REQUEST_FAILED = "request_failed"
    INFRASTRUCTURE_FAILURE = "infrastructure_failure"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True, slots=True)
class Costs:
    """What the dialogues took: calls and tokens (None where the model does not tell), CPU seconds of judging.

    ``cut_replies`` are those that the token limit cut.
    """

    model_calls: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    judge_cpu_seconds: float = 0.0
    cut_replies: int = 0


@dataclass(frozen=True, slots=True)
class TaskOutcomes:
    """The outcomes of one task; ``passed`` and ``public`` are int8[problem, sample, turn budget - 1].

    1 is yes, 0 no, MISSING unknown. ``tokens``, int64 of the same shape, are those of the prompts and replies so far.
    ``gaps`` counts dialogues whose outcome at the full budget is missing, ``ends`` how dialogues ended, ``verdicts``
    those of their submissions. ``withheld`` counts dialogues with a reply that the provider withheld, by its name for
    it, ``cut_prompts`` those in which the server cut a prompt without a word. ``by_equality`` is ``passed`` had only
    outputs that equal the expected ones been right; None where the judge does not say so.
    """

    record: TaskRecord
    passed: npt.NDArray[np.int8]
    public: npt.NDArray[np.int8]
    tokens: npt.NDArray[np.int64]
    gaps: Mapping[Gap, int]
    ends: Mapping[End, int]
    verdicts: Mapping[Verdict, int]
    tiers: tuple[str, ...]
    costs: Costs
    withheld: Mapping[str, int] = field(default_factory=dict)
    cut_prompts: int = 0
    by_equality: npt.NDArray[np.int8] | None = None

    @property
    def problems(self) -> tuple[AskedProblem, ...]:
        """The problems, along the first axis."""
        return tuple(self.record.asked)

    @property
    def dialogues(self) -> int:
        """How many dialogues were asked for."""
        problems, samples, _ = self.passed.shape
        return int(problems * samples)

    @property
    def missing(self) -> int:
        """How many of them have no outcome at the full turn budget."""
        return sum(self.gaps.values())


@dataclass(frozen=True, slots=True)
class RunOutcomes:
    """The outcomes of one run; ``dialogues`` reads those of a task, problem by problem, with their judgements."""

    path: Path
    record: RunRecord
    tasks: tuple[TaskOutcomes, ...]
    dialogues: Dialogues

    @property
    def model(self) -> str:
        """The model's name, with the test task that it was trained on, if any."""
        return model_label(self.record.model)

    @property
    def label(self) -> str:
        """The same to be shown: printable, and a long name cut."""
        return model_label(self.record.model, limit=80)


def read_outcomes(path: Path, *, witness: Witness | None = None) -> RunOutcomes:
    """Return the outcomes in a run folder; runs no program.

    A ``witness`` is shown each dialogue, those of a problem one after the other.

    Raises TurnwiseError, naming the file, for what is missing or damaged.
    """
    folder = RunFolder(path)
    judgements = folder.judgements()
    tasks = tuple(_read_task(folder, task, judgements, witness) for task in folder.record.tasks)
    return RunOutcomes(path, folder.record, tasks, lambda task: (folder.trajectories(task), folder.judgements()))


@dataclass(slots=True)
class _Counts:
    gaps: Counter[Gap] = field(default_factory=Counter)
    ends: Counter[End] = field(default_factory=Counter)
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    cut_replies: int = 0
    withheld: Counter[str] = field(default_factory=Counter)
    cut_prompts: int = 0
    tiers: set[str] = field(default_factory=set)
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    tokens_known: bool = True
    cpu_seconds: float = 0.0


def _read_task(
    folder: RunFolder, task: TaskRecord, judgements: Mapping[Place, Judgement], witness: Witness | None
) -> TaskOutcomes:
    record, trajectories = folder.record, folder.trajectories(task.task)
    if witness is not None:
        trajectories = witnessed(trajectories, partial(witness, folder.path, task.task), judgements)
    samples = record.samples_per_problem
    return tally(task, trajectories, judgements, samples=samples, judge=record.judge, origin=str(folder.path))


def witnessed(
    trajectories: Iterable[Trajectory],
    witness: Callable[[Trajectory, Mapping[Place, Judgement]], None],
    judgements: Mapping[Place, Judgement],
) -> Iterator[Trajectory]:
    """Yield ``trajectories``, each shown to ``witness`` before."""
    for trajectory in trajectories:
        witness(trajectory, judgements)
        yield trajectory


def tally(
    task: TaskRecord,
    trajectories: Iterable[Trajectory],
    judgements: Mapping[Place, Judgement],
    *,
    samples: int,
    judge: JudgeRecord | None = None,
    origin: str = "",
) -> TaskOutcomes:
    """Return the outcomes of a task of which each problem was asked ``samples`` times, judged by ``judge``.

    Raises TurnwiseError, naming the ``origin``, for a dialogue of more turns than the task has.
    """
    shape = (len(task.asked), samples, task.max_turns)
    passed, public, equal = (np.full(shape, MISSING, dtype=np.int8) for _ in range(3))
    anew = judge is not None and judge.judged_anew
    tokens = np.full(shape, MISSING, dtype=np.int64)
    row = {problem.id: index for index, problem in enumerate(task.asked)}
    counts = _Counts()
    sampled = 0
    for trajectory in trajectories:
        sampled += 1
        if len(trajectory.turns) > task.max_turns:
            raise TurnwiseError(
                f"The run {origin!r} holds a dialogue of {len(trajectory.turns)} turns about "
                f"{trajectory.problem}, more than the {task.max_turns} of {task.task}: it is damaged."
            )
        place = (row[trajectory.problem], trajectory.sample)
        by_turn = _outcome(trajectory, judgements, task.max_turns, anew=anew)
        passed[place], public[place], equal[place] = zip(*by_turn, strict=True)
        tokens[place] = _tokens(trajectory, task.max_turns)
        _count(counts, trajectory, judgements, known=passed[place][-1] != MISSING)
    if sampled < shape[0] * shape[1]:
        counts.gaps[Gap.NOT_SAMPLED] += shape[0] * shape[1] - sampled
    costs = Costs(counts.calls, judge_cpu_seconds=round(counts.cpu_seconds, 6), cut_replies=counts.cut_replies)
    if counts.calls and counts.tokens_known:
        costs = replace(costs, prompt_tokens=counts.prompt_tokens, completion_tokens=counts.completion_tokens)
    tiers = tuple(sorted(counts.tiers))
    return TaskOutcomes(
        task,
        passed,
        public,
        tokens,
        counts.gaps,
        counts.ends,
        counts.verdicts,
        tiers,
        costs,
        counts.withheld,
        counts.cut_prompts,
        equal if judge is not None and judge.matcher else None,  # another tool's judge compares as it likes
    )


def _outcome(
    trajectory: Trajectory, judgements: Mapping[Place, Judgement], max_turns: int, *, anew: bool
) -> list[tuple[int, int, int]]:
    """Return for each turn budget whether the submission passed all tests, the public ones, and all by equality.

    Of a run judged ``anew`` the public reports are another judge's, and say nothing.
    """
    by_turn = []
    for place, turn in zip(places_of(trajectory), trajectory.turns, strict=True):
        judgement = judgements.get(place) if place is not None else None
        if judgement is not None:
            by_turn.append((int(judgement.passed), int(judgement.public_passed), int(judgement.passed_by_equality)))
        elif anew and turn.program is not None:
            by_turn.append((MISSING, MISSING, MISSING))
        elif turn.public_report.public_passed and turn.program is not None:
            by_turn.append((MISSING, 1, MISSING))
        else:
            by_turn.append((0, 0, 0))
    if trajectory.is_missing:
        after = (MISSING, MISSING, MISSING)
    elif trajectory.end is End.CONTEXT_OVERFLOW or not by_turn:
        after = (0, 0, 0)  # the model has no program for the turn it could not take
    else:
        after = by_turn[-1]
    return by_turn + [after] * (max_turns - len(by_turn))


def _tokens(trajectory: Trajectory, max_turns: int) -> list[int]:
    """Return the tokens up to each turn budget, of prompts and replies; MISSING where the model does not tell."""
    if trajectory.is_missing:
        return [MISSING] * max_turns
    spent, by_turn = 0, []
    for turn in trajectory.turns:
        of_calls = [part for call in turn.calls for part in (call.reply.prompt_tokens, call.reply.completion_tokens)]
        spent = MISSING if spent == MISSING or None in of_calls else spent + sum(part or 0 for part in of_calls)
        by_turn.append(spent)
    return by_turn + [spent] * (max_turns - len(by_turn))


def _count(counts: _Counts, trajectory: Trajectory, judgements: Mapping[Place, Judgement], *, known: bool) -> None:
    counts.ends[trajectory.end] += 1
    calls = [call for turn in trajectory.turns for call in turn.calls]
    first = next((call.reply.withheld for call in calls if call.reply.withheld), "")
    if first:
        counts.withheld[first] += 1
    counts.cut_prompts += any(call.prompt_cut for call in calls)
    if not known:
        by_end = {End.REQUEST_FAILED: Gap.REQUEST_FAILED, End.INFRASTRUCTURE_FAILURE: Gap.INFRASTRUCTURE_FAILURE}
        counts.gaps[by_end.get(trajectory.end, Gap.NOT_JUDGED)] += 1
    for place, turn in zip(places_of(trajectory), trajectory.turns, strict=True):
        for call in turn.calls:
            counts.calls += 1
            counts.cut_replies += call.reply.is_cut
            counts.tokens_known &= call.reply.completion_tokens is not None and call.reply.prompt_tokens is not None
            counts.prompt_tokens += call.reply.prompt_tokens or 0
            counts.completion_tokens += call.reply.completion_tokens or 0
        judgement = judgements.get(place) if place is not None else None
        if judgement is not None:
            counts.tiers.add(judgement.tier)
            counts.cpu_seconds += judgement.cpu_seconds
        else:
            counts.tiers.add(turn.public_report.environment.tier)
    if known and trajectory.turns:
        last = places_of(trajectory)[-1]
        judged = judgements.get(last) if last is not None else None
        counts.verdicts[judged.verdict if judged else trajectory.turns[-1].public_report.verdict] += 1
