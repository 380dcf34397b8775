"""Judgements: what judging the program of one turn showed, as the lines of ``verdicts/<worker>.jsonl``.

Judging writes them, scoring reads them, and neither needs the other: a judgement says which program of
which dialogue it is about and what it is worth, and ``key`` (verdict_key) says what it rests on. Hidden
tests appear as counts only. A verdict the machine spoiled is never written.
"""

import hashlib
import json
import math
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.files import files_inside, lines_of
from turnwise.records.codec import RecordError, from_json, if_set
from turnwise.records.report import Verdict
from turnwise.records.trajectory import Trajectory

Place = tuple[str, str, int, int, str]

_LARGEST = 2**32  # bytes of one file
_LONGEST_LINE = 2**20  # bytes; a judgement takes some hundred


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on the program of turn ``turn`` (from 0) of one dialogue, and what it cost.

    ``program`` is the hash of the text that was judged (program_hash). ``limit_seconds`` is the time limit of a test,
    ``slowest_seconds`` what the slowest one took, both CPU time, and ``cpu`` the model name of the CPU; where they are
    not known (imported verdicts) they are 0 and "". ``checked`` counts the tests that passed although their output is
    not the expected one: equality would have failed the first of them.
    """

    task: str
    problem: str
    sample: int
    turn: int
    program: str
    verdict: Verdict
    public_passed: bool
    tests_run: int
    cpu_seconds: float
    tier: str
    key: str
    limit_seconds: float = if_set(0.0)
    slowest_seconds: float = if_set(0.0)
    cpu: str = if_set("")
    checked: int = if_set(0)

    @property
    def is_near_limit(self) -> bool:
        """Whether a test took half the time limit or more: a CPU half or twice as fast could give another verdict."""
        return 0 < self.limit_seconds <= 2 * self.slowest_seconds

    @property
    def place(self) -> Place:
        """Which program this is about: task, problem, sample, turn, hash of the program."""
        return (self.task, self.problem, self.sample, self.turn, self.program)

    @property
    def passed(self) -> bool:
        """Whether all public and hidden tests passed."""
        return self.verdict is Verdict.PASSED

    @property
    def passed_by_equality(self) -> bool:
        """Whether all of them would have passed had their outputs been compared with the expected ones alone."""
        return self.passed and not self.checked


def read_judgement(data: object) -> Judgement:
    """Return the judgement in a JSON object; raises ValueError, naming the field, for anything else."""
    judgement = from_json(Judgement, data)
    seconds = (judgement.cpu_seconds, judgement.limit_seconds, judgement.slowest_seconds)
    if not all(0 <= value < math.inf for value in seconds) or not 0 <= judgement.checked <= judgement.tests_run < 2**63:
        raise ValueError("a number is out of bounds")
    if judgement.passed and not judgement.public_passed:
        raise ValueError("it passed all tests, and not the public ones")
    return judgement


def program_hash(program: str) -> str:
    """Return the first 16 hexadecimal digits of the program's sha256."""
    return hashlib.sha256(program.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def places_of(trajectory: Trajectory) -> list[Place | None]:
    """Return where the judgement on each turn's program stands; None for a turn without a program."""
    start = (trajectory.task, trajectory.problem, trajectory.sample)
    return [
        None if turn.program is None else (*start, index, program_hash(turn.program))
        for index, turn in enumerate(trajectory.turns)
    ]


def read_judgements(folder: Path) -> Iterator[Judgement]:
    """Yield the judgements in the ``*.jsonl`` files of ``folder``; a torn line, as kill -9 leaves it, is skipped.

    Raises TurnwiseError for a link, pipe or device among the files.
    """
    for path in files_inside(folder, ending=".jsonl"):
        yield from read_judgement_file(path)


def read_judgement_file(path: Path) -> Iterator[Judgement]:
    """Yield the judgements of one worker; a file that is not there is empty."""
    with suppress(FileNotFoundError, NotADirectoryError), path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > _LARGEST:
            raise TurnwiseError(
                f"The file {str(path)!r} is no file of verdicts, since it is larger than 4 GiB: remove it."
            )
        for number, line in enumerate(lines_of(file, longest=_LONGEST_LINE), 1):
            try:
                judgement = read_judgement(json.loads(line))
            except RecordError as error:  # of another version, or of somebody's hand
                raise TurnwiseError(
                    f"The verdicts {str(path)!r}, line {number}, cannot be read ({error}): remove that line, and "
                    "turnwise judge judges its program again."
                ) from None
            except (ValueError, RecursionError):
                continue  # torn: that program is judged again
            yield judgement
