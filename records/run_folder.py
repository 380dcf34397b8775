"""The run folder as its readers see it: what was asked, which dialogues there are, what they were judged.

    run.json                          frozen settings and provenance (RunRecord)
    shards.jsonl                      the plan: which dialogues stand in which shard
    trajectories/<task>/00000.jsonl   a committed shard, one trajectory per line in plan order
    trajectories/<task>/00000.sha256  its digest, as sha256sum writes it
    verdicts/<worker>.jsonl           judgements (judgement.py)
    costs/<worker>.jsonl              what sampling and judging took

Judging and scoring need nothing else, so each can be redone alone. Writing is the runners' business.

The folder may be somebody else's (docs/security.md): its paths are built by ``inside``, its files read up to a size,
and what they hold has the types and the bounds that readers rely on.
"""

import errno
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.files import PLAIN_NAME, inside, read_whole, write_atomically
from turnwise.json_text import json_text
from turnwise.records.choices import TestsChoice
from turnwise.records.codec import from_json, from_lines, if_set, reason_of, to_json
from turnwise.records.judgement import Judgement, Place, read_judgements
from turnwise.records.problem import TRAINING_SPLIT
from turnwise.records.settings import MOST_TURNS, JudgeRecord, PromptsRecord, RunSettings
from turnwise.records.trajectory import Trajectory, read_trajectory
from turnwise.texts import shown

DialogueKey = tuple[str, int]

FORMAT = 1
_RIGHTS_REMEDY = "have its owner let you read it, or leave that run out."
_NO_RIGHTS = (errno.EACCES, errno.EPERM)
_SHARD_REMEDY = "it is damaged or of another run; remove it (and its .sha256) to sample that shard anew."

# No run comes near these: they bound what reading a folder of others can cost.
MOST_DIALOGUES = 20_000_000
_MOST_CELLS = 200_000_000  # dialogues x turns: arrays of scores have that many
_LARGEST_RECORD, _LARGEST_PLAN, _LARGEST_SHARD = 2**26, 2**29, 2**30  # bytes
_MOST_METRICS = 100
_MOST_COUNTED = 2**32


@dataclass(frozen=True, slots=True)
class AskedProblem:
    """A problem that is asked, with what scores are grouped by."""

    id: str
    difficulty: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task of a run: its data, its turn limit, the problems asked (in plan order) and those left out.

    ``benchmark_sha256`` is the digest of the file of a user's own benchmark. ``checked`` counts the problems with a
    checker or a tolerance of their own; ``invalid_tests`` says of how many tests each problem was rid.
    ``own_solutions`` is how many of a training problem's own solutions were judged before it was asked; of those left
    out for them the last flag is a Finding (own_solutions.py).
    """

    task: str
    benchmark: str
    split: str
    max_turns: int
    strategy: str
    data_sha256: str
    loaded: int
    asked: tuple[AskedProblem, ...]
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    broken_rows: tuple[str, ...] = ()
    benchmark_sha256: str = if_set("")
    checked: int = if_set(0)
    invalid_tests: Mapping[str, int] = if_set(dict)
    own_solutions: int = if_set(0)

    @property
    def is_training(self) -> bool:
        """Whether its problems are for training, and no part of an evaluation or a board."""
        return self.split == TRAINING_SPLIT


@dataclass(frozen=True, slots=True)
class RunRecord:
    """run.json: all that decides the result of a run, and the command that began it."""

    format: int = field(default=FORMAT, kw_only=True)
    turnwise: str
    model: Mapping[str, str]
    settings: RunSettings
    judge: JudgeRecord
    prompts: PromptsRecord
    tasks: tuple[TaskRecord, ...]
    command: str = ""

    @property
    def samples_per_problem(self) -> int:
        """How many dialogues each problem is asked."""
        return self.settings.samples_per_problem


def read_record(data: object) -> RunRecord:
    """Return the record in a JSON object, of whoever's file; raises ValueError, naming the field, for anything else."""
    if isinstance(data, dict) and data.get("format") != FORMAT:
        number, version = shown(data.get("format")), shown(data.get("turnwise"), limit=80)
        raise ValueError(f"format {number} is unknown here; turnwise {version}, which wrote it, reads it")
    record = from_json(RunRecord, data)
    check_bounds(record)
    return record


def checked(record: RunRecord, origin: str) -> RunRecord:
    """Return ``record``; raises TurnwiseError, naming the ``origin``, if it is out of bounds."""
    try:
        check_bounds(record)
    except ValueError as error:
        raise TurnwiseError(f"{origin} makes no run that can be read back: {error}.") from None
    return record


def check_bounds(record: RunRecord) -> None:
    """Raise ValueError for what no run has, and what reading it could cost."""
    settings, samples = record.settings, record.samples_per_problem
    if not record.tasks:
        raise ValueError("tasks are none")
    if record.judge.tests not in tuple(TestsChoice):
        raise ValueError(f"judge: tests is {shown(record.judge.tests)}")
    for name, values in (("reasoning", settings.reasoning), ("n_at_k", settings.n_at_k)):
        if len(values) > _MOST_METRICS:
            raise ValueError(f"settings: {name} is {shown(values)}")
    for task in record.tasks:
        if not PLAIN_NAME.fullmatch(task.task):
            raise ValueError(f"tasks: {shown(task.task)} is no name of a task")
        if not 1 <= task.max_turns <= MOST_TURNS:
            raise ValueError(f"tasks: max_turns is {shown(task.max_turns)}")
    dialogues = {task.task: samples * len(task.asked) for task in record.tasks}
    if not 1 <= samples <= MOST_DIALOGUES or sum(dialogues.values()) > MOST_DIALOGUES:
        raise ValueError(f"samples_per_problem is {shown(samples)}")
    if sum(dialogues[task.task] * task.max_turns for task in record.tasks) > _MOST_CELLS:
        raise ValueError(f"{max(task.max_turns for task in record.tasks)} turns are too many for its dialogues")
    for task in record.tasks:
        counts = (task.checked, *task.invalid_tests.values())
        if not all(0 <= count <= _MOST_COUNTED for count in counts):
            raise ValueError(f"tasks: checked or invalid_tests of {task.task} is out of bounds")
    if twice := [name for name, count in Counter(task.task for task in record.tasks).items() if count > 1]:
        raise ValueError(f"{twice[0]} stands there twice")
    for task in record.tasks:
        if len({problem.id for problem in task.asked}) < len(task.asked):
            raise ValueError(f"a problem of {task.task} stands there twice")


@dataclass(frozen=True, slots=True)
class Shard:
    """A consecutive part of a task's plan: which dialogues (problem, sample), in which order."""

    task: str
    number: int
    keys: tuple[DialogueKey, ...]

    @property
    def name(self) -> str:
        """The stem of its files."""
        return f"{self.number:05d}"


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """A line of shards.jsonl: the shard holds ``count`` dialogues of its task's plan, from the ``first`` on."""

    task: str
    shard: int
    first: int
    count: int


class RunFolder:
    """Reads one run folder; raises TurnwiseError, naming the file, for what is missing or damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def run_json(self) -> Path:
        """Where the frozen settings stand."""
        return inside(self.path, "run.json")

    @cached_property
    def record(self) -> RunRecord:
        """The frozen settings and provenance."""
        try:
            return read_record(json.loads(read_whole(self.run_json, limit=_LARGEST_RECORD, follow=False)))
        except (FileNotFoundError, NotADirectoryError):
            raise TurnwiseError(
                f"{str(self.path)!r} is no run folder, since it holds no run.json: name a folder that "
                "turnwise run or turnwise sample wrote."
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            raise TurnwiseError(
                f"{str(self.run_json)!r} cannot be read ({reason_of(error)}): give another folder."
            ) from None

    def write_record(self, record: RunRecord) -> None:
        """Write run.json, whole or not at all."""
        write_atomically(self.run_json, json_text(to_json(record), indent=1, ensure_ascii=False) + "\n")

    @property
    def plan(self) -> Path:
        """Where the plan stands."""
        return inside(self.path, "shards.jsonl")

    @cached_property
    def shards(self) -> tuple[Shard, ...]:
        """The frozen plan, in plan order."""
        path = self.plan
        plans = {task.task: plan_order(task, self.record.samples_per_problem) for task in self.record.tasks}
        try:
            text = read_whole(path, limit=_LARGEST_PLAN, follow=False).decode("ascii")
            shards = _parse_plan(from_lines(partial(from_json, PlanEntry), text), plans)
        except (OSError, ValueError) as error:
            raise TurnwiseError(
                f"The plan {str(path)!r} cannot be read ({reason_of(error)}): it belongs beside run.json; "
                "give another folder, or remove this one."
            ) from None
        if shards is None:
            raise TurnwiseError(f"The plan {str(path)!r} is not that of run.json beside it: remove the folder.")
        return tuple(shards)

    def shard_file(self, shard: Shard) -> Path:
        """Return where ``shard`` stands once it is committed."""
        return inside(self.path, "trajectories", shard.task, f"{shard.name}.jsonl")

    def verdicts(self, worker: str) -> Path:
        """Return where the judgements of ``worker`` stand."""
        return inside(self.path, "verdicts", f"{worker}.jsonl")

    def costs(self, worker: str) -> Path:
        """Return where it stands what the work of ``worker`` took."""
        return inside(self.path, "costs", f"{worker}.jsonl")

    def check_shard(self, shard: Shard) -> bytes | None:
        """Return the file of ``shard``, None if it has not been committed.

        Raises TurnwiseError if the file is not what was committed.
        """
        path = self.shard_file(shard)
        digest = inside(self.path, "trajectories", shard.task, digest_file(path).name)
        try:
            data = read_whole(path, limit=_LARGEST_SHARD, follow=False)
            said = read_whole(digest, limit=4096, follow=False) if digest.exists() else None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            remedy = _RIGHTS_REMEDY if error.errno in _NO_RIGHTS else _SHARD_REMEDY
            reason = reason_of(error)
            raise TurnwiseError(f"The shard {str(path)!r} cannot be read ({reason}): {remedy}") from None
        if said is not None and said.decode("ascii", "replace") != digest_line(path, data):
            raise TurnwiseError(f"The shard {str(path)!r} has been changed since it was committed: {_SHARD_REMEDY}")
        return data

    def read_shard(self, shard: Shard) -> list[Trajectory] | None:
        """Return the trajectories of ``shard`` in plan order, None if it has not been committed.

        Raises TurnwiseError if the file is not what was committed, or belongs to another plan.
        """
        path, data = self.shard_file(shard), self.check_shard(shard)
        if data is None:
            return None
        try:
            found = from_lines(read_trajectory, data.decode("ascii"))
        except ValueError as error:
            raise TurnwiseError(
                f"The shard {str(path)!r} cannot be read ({reason_of(error)}): {_SHARD_REMEDY}"
            ) from None
        if [(one.task, one.problem, one.sample) for one in found] != [(shard.task, *key) for key in shard.keys]:
            raise TurnwiseError(f"The shard {str(path)!r} does not hold the dialogues of the plan: {_SHARD_REMEDY}")
        return found

    def trajectories(self, task: str) -> Iterator[Trajectory]:
        """Yield the committed trajectories of ``task`` in plan order, one shard in memory at a time."""
        for shard in self.shards:
            if shard.task == task:
                yield from self.read_shard(shard) or ()

    def is_sampled(self) -> bool:
        """Return whether every dialogue of the plan has ended and none is missing."""
        shards = (self.read_shard(shard) for shard in self.shards)
        return all(found is not None and not any(one.is_missing for one in found) for found in shards)

    def judgements(self) -> dict[Place, Judgement]:
        """Return the judgements by what they are about; of two on the same program the first counts."""
        found: dict[Place, Judgement] = {}
        for judgement in read_judgements(inside(self.path, "verdicts")):
            found.setdefault(judgement.place, judgement)
        return found


def _parse_plan(entries: Sequence[PlanEntry], plans: Mapping[str, Sequence[DialogueKey]]) -> list[Shard] | None:
    """Return the shards that ``entries`` cut ``plans`` into; None unless they are all of them, once and in order."""
    shards: list[Shard] = []
    cut = dict.fromkeys(plans, 0)
    for entry in entries:
        task, number, first, count = entry.task, entry.shard, entry.first, entry.count
        if task not in plans:
            raise ValueError(f"{shown(task, limit=80)} is unknown")
        keys = plans[task]
        if first != cut[task] or not 0 <= count <= len(keys) - first or not 0 <= number <= MOST_DIALOGUES:
            return None
        shards.append(Shard(task, number, tuple(keys[first : first + count])))
        cut[task] += count
    in_order = [key for shard in shards for key in shard.keys] == [key for keys in plans.values() for key in keys]
    is_once = len({(shard.task, shard.number) for shard in shards}) == len(shards)
    return shards if in_order and is_once else None


def plan_order(task: TaskRecord, samples: int) -> list[DialogueKey]:
    """Return the dialogues of ``task`` in plan order: problem by problem, sample by sample."""
    return [(problem.id, sample) for problem in task.asked for sample in range(samples)]


def cut_shards(task: str, keys: Sequence[DialogueKey], *, size: int) -> tuple[Shard, ...]:
    """Return the shards of a plan, ``size`` dialogues each."""
    starts = range(0, len(keys), size)
    return tuple(Shard(task, number, tuple(keys[start : start + size])) for number, start in enumerate(starts))


def plan_lines(shards: Sequence[Shard]) -> str:
    """Return shards.jsonl for shards that are in plan order, each a run of dialogues of its task."""
    lines, first = [], {shard.task: 0 for shard in shards}
    for shard in shards:
        entry = PlanEntry(shard.task, shard.number, first[shard.task], len(shard.keys))
        lines.append(json_text(to_json(entry)) + "\n")
        first[shard.task] += len(shard.keys)
    return "".join(lines)


def digest_file(shard_file: Path) -> Path:
    """Return where the digest of a committed shard stands."""
    return shard_file.with_suffix(".sha256")


def digest_line(shard_file: Path, data: bytes) -> str:
    """Return what the digest file holds, in the format of sha256sum."""
    return f"{hashlib.sha256(data).hexdigest()}  {shard_file.name}\n"
