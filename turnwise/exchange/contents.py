"""What the files of another tool hold, in one form for all of them: answers, or whole dialogues, and verdicts.

    Answer      one program (or one reply) to one problem, with what another judge said of it, if anything
    Dialogue    a trajectory of ours with the judgements on its programs, from a file that turnwise wrote

All text in them came from outside and is data: nothing here runs it, formats it into a path, or trusts its
types. Which problems there should be is not known here; the command that imports compares with the data.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from turnwise.benchmarks.rows import OF_ANSWERS, Row, read_rows
from turnwise.benchmarks.rows import read_document as read_json
from turnwise.errors import TurnwiseError
from turnwise.records.codec import from_json, reason_of
from turnwise.records.judgement import Judgement, places_of
from turnwise.records.report import Verdict
from turnwise.records.run_folder import RunFolder, RunRecord, TaskRecord
from turnwise.records.settings import MOST_TURNS, JudgeRecord, PromptsRecord, RunSettings
from turnwise.records.trajectory import SCHEMA, Trajectory, read_trajectory
from turnwise.texts import printable, shown

Sample = TypeVar("Sample")
Header = TypeVar("Header", bound="_Header")
MOST_SAMPLES = 10_000


class _Header(Protocol):
    """What each header says."""

    @property
    def settings(self) -> RunSettings: ...


@dataclass(frozen=True, slots=True)
class Found:
    """What another judge said of a program: ``verdict`` is None where only its public tests were run and passed."""

    verdict: Verdict | None
    public_passed: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to the problem that its file calls ``problem``; ``origin`` is where it stands.

    ``program`` is None where there is none, or (``is_reply``) where it is still to be found in the ``text``. One that
    ``continues_stub`` has the stub of its problem before it.
    ``task`` is ours or the tool's name for what was asked, "" where the file does not say.
    """

    origin: str
    problem: str
    text: str
    program: str | None = None
    is_reply: bool = False
    continues_stub: bool = False
    task: str = ""
    found: Found | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A dialogue of a run of ours, with the judgements on its programs in turn order."""

    origin: str
    trajectory: Trajectory
    judgements: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class RunHeader:
    """What a file of ours says of the run it was exported from: the parts of run.json that scores rest on."""

    model: Mapping[str, str]
    settings: RunSettings
    judge: JudgeRecord
    prompts: PromptsRecord

    @classmethod
    def of(cls, record: RunRecord) -> "RunHeader":
        """Return the header of a run."""
        return cls(record.model, record.settings, record.judge, record.prompts)


@dataclass(frozen=True, slots=True)
class Contents:
    """What files hold: answers of another tool's run (``judge`` gave the verdicts), or dialogues of ours.

    ``model`` is the name the files give, or that of a file; ``temperature`` stands in some file names, ``tasks``
    (with their problems) in files that need no data to be read. ``notes`` are sentences that their user should read.
    """

    model: str
    answers: tuple[Answer, ...] = ()
    dialogues: tuple[Dialogue, ...] = ()
    judge: str = ""
    header: RunHeader | None = None
    temperature: float | None = None
    tasks: tuple[TaskRecord, ...] = ()
    notes: tuple[str, ...] = ()


def dialogues_of(folder: RunFolder, task: str) -> Iterator[Dialogue]:
    """Yield the dialogues of ``task`` that a run folder holds, with their judgements, in plan order."""
    judgements = folder.judgements()
    for trajectory in folder.trajectories(task):
        found = (judgements.get(place) for place in places_of(trajectory) if place is not None)
        yield Dialogue(str(folder.path), trajectory, tuple(one for one in found if one is not None))


def read_dialogue(data: object, origin: str) -> Dialogue:
    """Return the dialogue of a trajectory with its ``judgements``; raises TurnwiseError for anything else."""
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        schema = shown(data.get("schema") if isinstance(data, dict) else data)
        raise TurnwiseError(
            f"{origin}: the dialogue has schema {schema}, and this version of turnwise reads {SCHEMA}: "
            "export it again with this version."
        )
    try:
        trajectory = read_trajectory({name: value for name, value in data.items() if name != "judgements"})
        judgements = from_json(tuple[Judgement, ...], data.get("judgements", []))
    except ValueError as error:
        raise TurnwiseError(f"{origin}: the dialogue is damaged ({error}): export it again.") from None
    places = set(places_of(trajectory))
    for one in judgements:
        if one.place not in places or not _is_sound(one):
            raise TurnwiseError(
                f"{origin}: the judgement on turn {shown(one.turn)} does not fit its dialogue: export it again."
            )
    return Dialogue(origin, trajectory, judgements)


def _is_sound(judgement: Judgement) -> bool:
    """Whether it says what a judge of ours could have said."""
    return (
        (judgement.public_passed or not judgement.passed)
        and judgement.verdict is not Verdict.INFRASTRUCTURE_FAILURE
        and math.isfinite(judgement.cpu_seconds)
        and judgement.cpu_seconds >= 0
    )


def read_header(kind: type[Header], data: object, origin: str) -> Header:
    """Return the header of a ``kind`` that an export of ours wrote; raises TurnwiseError for anything else."""
    try:
        header = from_json(kind, data)
        _check_settings(header.settings)
    except ValueError as error:
        raise TurnwiseError(f"{origin}: what it says of its run is damaged ({error}): export it again.") from None
    return header


def _check_settings(settings: RunSettings) -> None:
    """Raise ValueError for what no run has that was exported."""
    if not 1 <= settings.samples_per_problem <= MOST_SAMPLES:
        raise ValueError(f"settings.samples_per_problem: {shown(settings.samples_per_problem)}")
    if not 1 <= (1 if settings.max_turns is None else settings.max_turns) <= MOST_TURNS:
        raise ValueError(f"settings.max_turns: {shown(settings.max_turns)}")
    if not 0 < (1 if settings.limit is None else settings.limit) < math.inf:
        raise ValueError(f"settings.limit: {shown(settings.limit)}")


def read_samples(path: Path, kind: TypeAdapter[Sample], what: str, *, remedy: str) -> Iterator[tuple[Row, Sample]]:
    """Yield the rows of ``path``, each with the ``kind`` that it holds; raises TurnwiseError for one that is none."""
    for row in read_rows(path, bounds=OF_ANSWERS):
        if row.error is not None:
            raise row.error.without_option()
        try:
            yield row, kind.validate_python(row.data)
        except ValidationError as error:
            raise TurnwiseError(f"{row.origin} is no {what} ({reason_of(error)}): {remedy}.") from None


def read_document(path: Path, what: str) -> object:
    """Return the JSON document in ``path``; raises TurnwiseError if it cannot be read as one."""
    try:
        return read_json(path)
    except OSError as error:
        raise TurnwiseError(f"The file {str(path)!r} cannot be read ({error.strerror}): name {what}.") from None
    except ValueError as error:
        reason = printable(str(error).split(":")[0].lower(), limit=80)
        raise TurnwiseError(f"{path.name} is no JSON document ({reason}): name {what}.") from None


def check_files(paths: Sequence[Path]) -> None:
    """Raise TurnwiseError for a path that is no file, or that is named twice."""
    for path in paths:
        if not path.is_file():
            raise TurnwiseError(f"The file {str(path)!r} does not exist: name the file to import.")
    if len({path.resolve() for path in paths}) < len(paths):
        raise TurnwiseError("A file is named twice: name each file once.")


def only(names: Iterable[str], *, what: str) -> str:
    """Return the one of several names; raises TurnwiseError if they differ."""
    names = list(dict.fromkeys(names))
    if len(names) != 1:
        listed = ", ".join(shown(name) for name in names[:4])
        raise TurnwiseError(f"The files name {len(names)} {what} ({listed}): import each into a run of its own.")
    return names[0]
