"""An audit: how far the verdicts of a judge can be trusted, by programs and outputs of which the truth is known.

``turnwise audit`` writes it, the page and the tables show it; it holds no program and no hidden test, but for the
inputs on which programs disagree, which were made by changing valid ones.
"""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from turnwise.errors import TurnwiseError
from turnwise.files import read_whole, write_atomically
from turnwise.json_text import json_text
from turnwise.records.codec import from_json, if_set, reason_of, to_json
from turnwise.records.settings import JudgeRecord
from turnwise.texts import shown

FORMAT = 1
_LARGEST = 2**26  # bytes of one file
_MOST = 2**53  # of anything counted


class Truth(StrEnum):
    """What a program, or an output, is known to be."""

    RIGHT = "right"
    WRONG = "wrong"


class Unit(StrEnum):
    """What a rate counts."""

    PROGRAMS = "programs"
    OUTPUTS = "outputs"


@dataclass(frozen=True, slots=True)
class Rate:
    """How many programs of one source, known to be right or wrong, the judge accepted and refused.

    ``missing`` are those that the machine failed to judge. The rate is the share that was judged as it is: the true
    positive rate of right ones, the true negative rate of wrong ones; None where none was judged.
    """

    DERIVED: ClassVar = ("rate",)

    source: str
    truth: Truth
    unit: Unit
    accepted: int
    refused: int
    missing: int = if_set(0)

    @property
    def judged(self) -> int:
        """How many have a verdict."""
        return self.accepted + self.refused

    @property
    def rate(self) -> float | None:
        """The share that was judged as it is."""
        fitting = self.accepted if self.truth is Truth.RIGHT else self.refused
        return fitting / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Misjudged:
    """A right program that was refused, at which test and how, or a wrong one that was accepted.

    ``program`` is the hash of its text, ``test`` the name of the test in the data, such as ``generated_tests 0``, and
    ``note`` what the checker said, or the error, on a public one.
    """

    program: str
    source: str
    truth: Truth
    test: str = if_set("")
    verdict: str = if_set("")
    note: str = if_set("")


@dataclass(frozen=True, slots=True)
class ProblemAudit:
    """How a problem's tests judge: right programs and those refused, wrong ones and those accepted.

    ``mutants`` are those shown wrong by an original test, ``unnoticed`` those that all other tests accept.
    """

    problem: str
    right: int
    refused: int
    wrong: int
    accepted: int
    mutants: int = if_set(0)
    unnoticed: int = if_set(0)
    misjudged: tuple[Misjudged, ...] = if_set(())

    @property
    def faults(self) -> tuple[int, int]:
        """How bad it is: programs misjudged, then mutants unnoticed."""
        return self.refused + self.accepted, self.unnoticed


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two programs that pass, and a valid input on which one of them is wrong: texts are cut.

    ``second`` is empty where the first is known to be the wrong one.
    """

    problem: str
    first: str
    second: str
    input: str
    first_output: str
    second_output: str
    reason: str


@dataclass(frozen=True, slots=True)
class Disagreements:
    """What running the passing programs of each problem against each other showed.

    ``wrong`` of the ``programs`` are wrong at least, although they pass. Problems were left out that have no
    validator, several answers and no checker, or fewer than two passing programs.
    """

    problems: int
    without_validator: int
    without_checker: int
    few_programs: int
    programs: int
    inputs: int
    wrong: int
    examples: tuple[Disagreement, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """What ``turnwise audit`` found about one judge on the problems of one task.

    ``labels`` name the file and its digest; ``unknown`` are its programs whose truth is not known, ``left_out`` its
    rows on problems or tests that are not among those judged here. ``mutants`` were made, of which ``rates`` count
    those that are known to be wrong. ``problems`` are all that were asked, ``by_problem`` those with a fault.
    """

    format: int = field(default=FORMAT, kw_only=True)
    turnwise: str
    task: str
    benchmark: str
    split: str
    data_sha256: str
    judge: JudgeRecord
    tier: str
    problems: int
    rates: tuple[Rate, ...]
    by_problem: tuple[ProblemAudit, ...]
    labels: str = if_set("")
    unknown: int = if_set(0)
    left_out: int = if_set(0)
    mutants: int = if_set(0)
    disagreements: Disagreements | None = if_set(None)


def write_audit(path: Path, audit: Audit) -> None:
    """Write the file that ``read_audit`` reads."""
    write_atomically(path, json_text(to_json(audit), indent=1, ensure_ascii=False) + "\n")


def read_audit(path: Path) -> Audit:
    """Return the audit in a file; raises TurnwiseError for one that holds none."""
    try:
        data = json.loads(read_whole(path, limit=_LARGEST))
        if isinstance(data, dict) and data.get("format") != FORMAT:
            raise ValueError(f"format {shown(data.get('format'))} is unknown here")
        audit = from_json(Audit, data)
        if not all(0 <= count < _MOST for count in _counts(audit)):
            raise ValueError("a count is out of bounds")
    except (OSError, ValueError, RecursionError) as error:
        raise TurnwiseError(
            f"The audit {str(path)!r} cannot be read ({reason_of(error)}): give a file that turnwise audit -o wrote."
        ) from None
    return audit


def _counts(audit: Audit) -> list[int]:
    counts = [audit.problems, audit.unknown, audit.left_out, audit.mutants]
    for rate in audit.rates:
        counts += [rate.accepted, rate.refused, rate.missing]
    for problem in audit.by_problem:
        counts += [problem.right, problem.refused, problem.wrong, problem.accepted, problem.mutants, problem.unnoticed]
    if (pairs := audit.disagreements) is not None:
        counts += [pairs.problems, pairs.without_validator, pairs.without_checker, pairs.few_programs]
        counts += [pairs.programs, pairs.inputs, pairs.wrong]
    return counts
