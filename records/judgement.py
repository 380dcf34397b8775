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
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.files import lines_of
from turnwise.json_text import json_line
from turnwise.records.report import Verdict
from turnwise.records.run_paths import files_inside
from turnwise.records.trajectory import Trajectory

Place = tuple[str, str, int, int, str]

_IF_KNOWN = ("limit_seconds", "slowest_seconds", "cpu")
_SECONDS = ("cpu_seconds", "limit_seconds", "slowest_seconds")
_KINDS: dict[str, type] = {
    **dict.fromkeys(("task", "problem", "program", "tier", "key", "cpu"), str),
    **dict.fromkeys(("sample", "turn", "tests_run"), int),
    "public_passed": bool,
}
_LARGEST = 2**32  # bytes of one file
_LONGEST_LINE = 2**20  # bytes; a judgement takes some hundred


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on the program of turn ``turn`` (from 0) of one dialogue, and what it cost.

    ``program`` is the hash of the text that was judged (program_hash). ``limit_seconds`` is the time limit of a test,
    ``slowest_seconds`` what the slowest one took, both CPU time, and ``cpu`` the model name of the CPU; where they are
    not known (imported verdicts) they are 0 and "".
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
    limit_seconds: float = 0.0
    slowest_seconds: float = 0.0
    cpu: str = ""

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

    def to_line(self) -> str:
        """Return the judgement as one line of JSON, without the line break."""
        data: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        data = {name: value for name, value in data.items() if name not in _IF_KNOWN or value}
        return json_line({**data, "verdict": self.verdict.value})

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Judgement":
        """Return the judgement that ``to_line`` wrote; raises KeyError, TypeError or ValueError for anything else."""
        seconds = {name: float(data[name]) for name in _SECONDS if name in data}
        made = cls(**{**data, **seconds, "verdict": Verdict(data["verdict"])})
        if not all(isinstance(getattr(made, name), kind) for name, kind in _KINDS.items()):
            raise TypeError("a value is of another kind than it has to be")
        if not all(0 <= getattr(made, name) < math.inf for name in _SECONDS) or not 0 <= made.tests_run < 2**63:
            raise ValueError("a number is out of bounds")
        return made


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
        for line in lines_of(file, longest=_LONGEST_LINE):
            try:
                judgement = Judgement.from_json(json.loads(line))
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                continue  # that program is judged again
            yield judgement
