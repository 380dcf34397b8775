"""Which recorded dialogues may become training data: those judged, solved in their last turn, and whole.

    run = open_run(path)                           its record, its verdicts as an index, its digests
    run.dialogues("t").of("b/a")                   the dialogues about a problem, a shard in memory at a time
    drop = run.reason_against(trajectory, row)     the step that drops it and why, or None

Runs are joined with their verdicts: the files of verdicts are read once, into arrays of a byte and a hash for each turn
of each dialogue. A dialogue is dropped as missing where a request or the machine failed or its last program has no
verdict: nothing is known of it.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from turnwise.errors import TurnwiseError
from turnwise.files import inside
from turnwise.records.judgement import Place, program_hash, read_judgements
from turnwise.records.run_folder import DialogueKey, RunFolder, Shard, TaskRecord, digest_file
from turnwise.records.training import RunSource
from turnwise.records.trajectory import End, Trajectory
from turnwise.tasks.catalog import Task
from turnwise.texts import printable, shown

_UNKNOWN, _FAILED, _PASSED = -1, 0, 1
_HASH = re.compile("[0-9a-f]{16}")


class Step(StrEnum):
    """The steps from what was asked to what is learnt, in their order; each drops dialogues for its own reasons."""

    ASKED = "asked"
    JUDGED = "judged"
    SOLVED = "solved"
    WHOLE = "whole"
    DISTINCT = "distinct"
    UNCONTAMINATED = "uncontaminated"
    REPLAYED = "replayed"
    FITTING = "fitting"


class Reason(StrEnum):
    """Why a step drops a dialogue."""

    NOT_SAMPLED = "not_sampled"
    REQUEST_FAILED = "request_failed"
    INFRASTRUCTURE_FAILURE = "infrastructure_failure"
    NOT_JUDGED = "not_judged"
    NO_CODE = "no_code"
    FAILED = "failed"
    CONTEXT_OVERFLOW = "context_overflow"
    WITHHELD = "withheld"
    PROMPT_CUT = "prompt_cut"
    REPLY_CUT = "reply_cut"
    NEAR_COPY = "near_copy"
    MORE_THAN_MOST = "more_than_most"
    CONTAMINATED = "contaminated"
    OTHER_PROMPTS = "other_prompts"
    OTHER_PROGRAM = "other_program"
    OTHER_END = "other_end"
    NO_UNICODE = "no_unicode"
    TOO_LONG = "too_long"


Drop = tuple[Step, Reason]
_MISSING = {End.REQUEST_FAILED: Reason.REQUEST_FAILED, End.INFRASTRUCTURE_FAILURE: Reason.INFRASTRUCTURE_FAILURE}


@dataclass(frozen=True, slots=True)
class TaskVerdicts:
    """The verdicts on the programs of a task: int8 and the hash of the program, uint64, [problem, sample, turn].

    Of two on one program the first counts; ``others`` are those on a second program of one turn.
    """

    passed: npt.NDArray[np.int8]
    programs: npt.NDArray[np.uint64]
    others: dict[Place, bool] = field(default_factory=dict)

    def add(self, row: int, place: Place, *, passed: bool) -> None:
        """Take the verdict on a program; one of a turn that no dialogue has is left out."""
        cell = (row, place[2], place[3])
        if not _HASH.fullmatch(place[4]) or not all(
            0 <= at < size for at, size in zip(cell, self.passed.shape, strict=True)
        ):
            return
        program = int(place[4], 16)
        if self.passed[cell] == _UNKNOWN:
            self.passed[cell], self.programs[cell] = passed, program
        elif self.programs[cell] != program:
            self.others.setdefault(place, passed)

    def find(self, row: int, place: Place) -> bool | None:
        """Return whether the program at ``place`` passed all tests, None without a verdict."""
        cell = (row, place[2], place[3])
        if self.passed[cell] != _UNKNOWN and int(self.programs[cell]) == int(place[4], 16):
            return bool(self.passed[cell])
        return self.others.get(place)

    def digest(self) -> bytes:
        """Return what differs where a verdict does."""
        known = np.where(self.passed == _UNKNOWN, np.uint64(0), self.programs)
        others = repr(sorted(self.others.items())).encode()
        return hashlib.sha256(self.passed.tobytes() + known.tobytes() + others).digest()


class TaskDialogues:
    """Reads the dialogues of a task of a run problem by problem; the last shard that was read stays in memory."""

    def __init__(self, folder: RunFolder, task: str) -> None:
        self._folder = folder
        self._shards: dict[str, list[Shard]] = {}
        for shard in folder.shards:
            if shard.task == task:
                for problem in dict.fromkeys(problem for problem, _ in shard.keys):
                    self._shards.setdefault(problem, []).append(shard)
        self._last: tuple[Shard, dict[DialogueKey, Trajectory]] | None = None

    def of(self, problem: str) -> Iterator[tuple[int, Trajectory | None]]:
        """Yield each sample of ``problem`` with its dialogue, None where that was not sampled.

        Raises TurnwiseError for a shard that is damaged.
        """
        for shard in self._shards.get(problem, ()):
            if self._last is None or self._last[0] is not shard:
                read = self._folder.read_shard(shard) or ()
                self._last = (shard, {(one.problem, one.sample): one for one in read})
            for key in shard.keys:
                if key[0] == problem:
                    yield key[1], self._last[1].get(key)


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A run with its verdicts by task; ``tasks`` are those that are taken of it, ``left_out`` its others."""

    folder: RunFolder
    source: RunSource
    tasks: tuple[TaskRecord, ...]
    left_out: tuple[str, ...]
    verdicts: Mapping[str, TaskVerdicts]

    def reason_against(self, trajectory: Trajectory, row: int) -> Drop | None:
        """Return the step that drops a dialogue about problem ``row`` of its task, and why; None for one to keep."""
        if trajectory.end in _MISSING:
            return Step.JUDGED, _MISSING[trajectory.end]
        self._check_turns(trajectory)
        if trajectory.end is End.CONTEXT_OVERFLOW or not trajectory.turns:
            return Step.SOLVED, Reason.CONTEXT_OVERFLOW
        turn, number = trajectory.turns[-1], len(trajectory.turns) - 1
        if turn.program is None:
            return Step.SOLVED, Reason.NO_CODE
        place = (trajectory.task, trajectory.problem, trajectory.sample, number, program_hash(turn.program))
        passed = self.verdicts[trajectory.task].find(row, place)
        if passed is None and (turn.public_report.public_passed or self.folder.record.judge.judged_anew):
            return Step.JUDGED, Reason.NOT_JUDGED
        if not passed:
            return Step.SOLVED, Reason.FAILED
        replies = [call.reply for one in trajectory.turns for call in one.calls]
        if any(reply.withheld for reply in replies):
            return Step.WHOLE, Reason.WITHHELD
        if any(call.prompt_cut for one in trajectory.turns for call in one.calls):
            return Step.WHOLE, Reason.PROMPT_CUT
        return (Step.WHOLE, Reason.REPLY_CUT) if any(reply.is_cut for reply in replies) else None

    def _check_turns(self, trajectory: Trajectory) -> None:
        most = self.verdicts[trajectory.task].passed.shape[2]
        if len(trajectory.turns) > most:
            raise TurnwiseError(
                f"The run {str(self.folder.path)!r} holds a dialogue of {len(trajectory.turns)} turns about "
                f"{trajectory.problem}, more than the {most} of {trajectory.task}: it is damaged."
            )

    def most_solved(self) -> int:
        """How many dialogues at most are solved: those in which a program passed."""
        return sum(int((one.passed == _PASSED).any(axis=2).sum()) for one in self.verdicts.values())

    def shard_bytes(self) -> tuple[int, int]:
        """How many bytes its committed shards have, and how many dialogues."""
        names = {task.task for task in self.tasks}
        size = dialogues = 0
        for shard in self.folder.shards:
            path = self.folder.shard_file(shard)
            if shard.task in names and path.is_file():
                size, dialogues = size + path.stat().st_size, dialogues + len(shard.keys)
        return size, dialogues


def open_runs(
    paths: Sequence[Path],
    known: Mapping[str, Task],
    *,
    train_on_test: Sequence[str] = (),
    on_progress: Callable[[str, int, int], None] = lambda *_: None,
) -> list[TrainingRun]:
    """Return the runs at ``paths`` with their verdicts.

    Taken are those of their tasks that are training tasks among the ``known`` ones, whatever run.json says of itself,
    and the test tasks that ``train_on_test`` names. Raises TurnwiseError for runs that do not go together: of two
    judges or sets of prompts, without verdicts or a task to train on, or the same one twice.
    """
    resolved: dict[Path, Path] = {}
    for path in paths:
        if not path.is_dir():
            raise TurnwiseError(f"{str(path)!r} is a file of lm-eval: make a run of it with turnwise import first.")
        if path.resolve() in resolved:
            raise TurnwiseError(f"The run {str(path)!r} is given twice: give it once.")
        resolved[path.resolve()] = path
    folders = [RunFolder(path) for path in paths]
    _check_alike(folders)
    _check_test_tasks(folders, known, train_on_test)
    chosen = [_chosen_tasks(folder, known, train_on_test) for folder in folders]
    runs: list[TrainingRun] = []
    for folder, name, tasks in zip(folders, _names(folders), chosen, strict=True):
        on_progress("verdicts of runs", len(runs), len(folders))
        run = _open_run(folder, name, tasks)
        for other in runs:
            if _content(other) == _content(run):
                raise TurnwiseError(
                    f"The runs {str(other.folder.path)!r} and {str(folder.path)!r} are one, given twice: give it once."
                )
        runs.append(run)
    on_progress("verdicts of runs", len(runs), len(folders))
    _check_data(runs)
    return runs


def _content(run: TrainingRun) -> tuple[str, str]:
    return run.source.record_sha256, run.source.shards_sha256


def _names(folders: Sequence[RunFolder]) -> list[str]:
    """Return the names of the folders; a number tells apart those of one name."""
    names: list[str] = []
    for folder in folders:
        name = printable(folder.path.resolve().name, limit=200)
        number = sum(other == name or other.startswith(f"{name} (") for other in names) + 1
        names.append(f"{name} ({number})" if number > 1 else name)
    return names


def _check_alike(folders: Sequence[RunFolder]) -> None:
    first = folders[0]
    for folder in folders[1:]:
        if difference := _difference(first.record.judge, folder.record.judge):
            raise TurnwiseError(
                f"The runs {str(first.path)!r} and {str(folder.path)!r} have two judges ({difference}), so what one "
                "calls right the other may not: judge them by one (turnwise judge -o), or give one of them."
            )
        if difference := _difference(first.record.prompts, folder.record.prompts):
            raise TurnwiseError(
                f"The runs {str(first.path)!r} and {str(folder.path)!r} have two sets of prompts ({difference}): "
                "make data of each."
            )


def _difference(first: object, second: object) -> str:
    """Return the first field in which two records of one kind differ, with both values."""
    for one in fields(first):  # type: ignore[arg-type]  # records are dataclasses
        before, after = getattr(first, one.name), getattr(second, one.name)
        if before != after:
            if isinstance(before, Mapping) and isinstance(after, Mapping):
                key = next(key for key in sorted({*before, *after}) if before.get(key) != after.get(key))
                return f"{one.name} of {key}: {shown(before.get(key))} and {shown(after.get(key))}"
            return f"{one.name}: {shown(before)} and {shown(after)}"
    return ""


def _chosen_tasks(folder: RunFolder, known: Mapping[str, Task], train_on_test: Sequence[str]) -> tuple[TaskRecord, ...]:
    chosen = []
    for task in folder.record.tasks:
        if task.task not in known and (task.is_training or task.task in train_on_test):
            remedy = ": give --benchmark the file or the name of it" if task.benchmark_sha256 else ""
            raise TurnwiseError(
                f"The run {str(folder.path)!r} is of the task {task.task!r}, which is unknown here{remedy}."
            )
        if task.task in train_on_test or (task.task in known and known[task.task].is_training):
            chosen.append(task)
    return tuple(chosen)


def _check_test_tasks(folders: Sequence[RunFolder], known: Mapping[str, Task], train_on_test: Sequence[str]) -> None:
    sampled = {task.task for folder in folders for task in folder.record.tasks}
    for name in train_on_test:
        if name not in sampled:
            raise TurnwiseError(f"--train-on-test names {shown(name)}, which no run has: leave it out.")
        if name in known and known[name].is_training:
            raise TurnwiseError(f"--train-on-test names {name}, which is there to train on: leave it out.")


def _open_run(folder: RunFolder, name: str, tasks: tuple[TaskRecord, ...]) -> TrainingRun:
    path, record = str(folder.path), folder.record
    names = ", ".join(task.task for task in record.tasks)
    if not tasks:
        raise TurnwiseError(
            f"The run {path!r} has no task to train on, only {names} for testing: sample a training task such as "
            "codecontests_train_multiturn, or name with --train-on-test what is to be trained on all the same."
        )
    if not record.prompts.hashes:
        raise TurnwiseError(
            f"The run {path!r} was imported without its prompts, so nobody knows what the model was asked: sample it "
            "anew (turnwise run -M replay asks recorded answers)."
        )
    for task in tasks:
        kinds = [turn.feedback for turn in record.settings.turns[1:]] or [record.settings.feedback]
        if task.max_turns > 1 and "random" in kinds:
            raise TurnwiseError(
                f"The run {path!r} has the feedback random, which tells of other problems' programs: there is nothing "
                "in it to learn from; give a run with another feedback."
            )
    verdicts = _read_verdicts(folder, tasks)
    if not any((one.passed != _UNKNOWN).any() for one in verdicts.values()):
        raise TurnwiseError(f"The run {path!r} has no verdict on {_listed(tasks)}: turnwise judge {path} first.")
    digest = hashlib.sha256(b"".join(verdicts[task.task].digest() for task in tasks)).hexdigest()
    source = RunSource(
        name,
        {str(key): str(value) for key, value in record.model.items()},
        hashlib.sha256(folder.run_json.read_bytes()).hexdigest(),
        _shards_digest(folder, tasks),
        digest,
    )
    left_out = tuple(task.task for task in record.tasks if task not in tasks)
    return TrainingRun(folder, source, tasks, left_out, verdicts)


def _listed(tasks: Sequence[TaskRecord]) -> str:
    return ", ".join(task.task for task in tasks)


def _read_verdicts(folder: RunFolder, tasks: Sequence[TaskRecord]) -> dict[str, TaskVerdicts]:
    samples = folder.record.samples_per_problem
    rows = {task.task: {problem.id: row for row, problem in enumerate(task.asked)} for task in tasks}
    found: dict[str, TaskVerdicts] = {}
    for task in tasks:
        shape = (len(task.asked), samples, task.max_turns)
        found[task.task] = TaskVerdicts(np.full(shape, _UNKNOWN, np.int8), np.zeros(shape, np.uint64))
    for judgement in read_judgements(inside(folder.path, "verdicts")):
        row = rows.get(judgement.task, {}).get(judgement.problem)
        if row is not None:
            found[judgement.task].add(row, judgement.place, passed=judgement.passed)
    return found


def _shards_digest(folder: RunFolder, tasks: Sequence[TaskRecord]) -> str:
    """Return the digest of the committed shards of ``tasks``, by the digests that stand beside them."""
    names, digest = {task.task for task in tasks}, hashlib.sha256()
    for shard in folder.shards:
        if shard.task not in names:
            continue
        path = folder.shard_file(shard)
        beside = inside(folder.path, "trajectories", shard.task, digest_file(path).name)
        if beside.is_file():  # it is checked where the shard is read
            line = beside.read_bytes()[:4096]
        else:
            data = folder.check_shard(shard)
            line = b"" if data is None else f"{hashlib.sha256(data).hexdigest()}  {path.name}\n".encode()
        digest.update(f"{shard.task} {shard.number} ".encode() + line)
    return digest.hexdigest()


def _check_data(runs: Sequence[TrainingRun]) -> None:
    """Raise TurnwiseError for runs of one task that were made with different data of it."""
    first: dict[str, tuple[TrainingRun, TaskRecord]] = {}
    for run in runs:
        for task in run.tasks:
            other, before = first.setdefault(task.task, (run, task))
            for name in ("data_sha256", "benchmark_sha256"):
                if getattr(before, name) != getattr(task, name):
                    raise TurnwiseError(
                        f"The runs {str(other.folder.path)!r} and {str(run.folder.path)!r} asked {task.task} of two "
                        f"data sets ({name} {getattr(before, name)[:12] or 'none'} and "
                        f"{getattr(task, name)[:12] or 'none'}): make data of each."
                    )


def sampled_tokens(trajectory: Trajectory) -> int | None:
    """Return the tokens of a dialogue as its model counted them, prompts included; None where it did not tell."""
    replies: list[Any] = [call.reply for turn in trajectory.turns for call in turn.calls]
    if not replies:
        return 0
    last = replies[-1]
    if last.prompt_tokens is None or last.completion_tokens is None:
        return None
    return int(last.prompt_tokens + last.completion_tokens)
