"""What judging the own solutions of training problems showed: which problems are kept, and why others are left out.

``turnwise verify`` finds it out and keeps it in the cache; a run over a training task asks the problems that are kept.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from turnwise.records.codec import if_set
from turnwise.records.report import Verdict
from turnwise.records.settings import JudgeRecord

FORMAT = 1


class Finding(StrEnum):
    """What the own solutions of a problem say of it: whether it is kept, or why it is left out."""

    KEPT = "kept"
    """One passes at least, and none of those judged gives a wrong answer."""
    NO_SOLUTION = "no_solution"
    """The data set has none in Python 3."""
    OWN_SOLUTIONS_FAIL = "own_solutions_fail"
    """One gives a wrong answer, or none passes: the judge would refuse right programs."""
    NO_HIDDEN_TESTS = "no_hidden_tests"
    """No hidden test of it keeps to its statement."""
    OWN_SOLUTIONS_UNDECIDED = "own_solutions_undecided"
    """The machine failed on one, and no other decides it: judged anew the next time."""


@dataclass(frozen=True, slots=True)
class VerifiedProblem:
    """What was found of one problem, and the verdicts on its solutions, in their order."""

    problem: str
    finding: Finding
    verdicts: tuple[Verdict, ...] = if_set(())


@dataclass(frozen=True, slots=True)
class Verification:
    """What ``turnwise verify`` found of the problems of one task by one judge.

    ``solutions`` is how many of a problem's own were judged at most, ``loaded`` counts all problems of the data,
    ``kept`` the scorable ones that were judged and are kept; ``left_out`` are the others of these.
    """

    format: int = field(default=FORMAT, kw_only=True)
    task: str
    benchmark: str
    split: str
    data_sha256: str
    judge: JudgeRecord
    solutions: int
    loaded: int
    judged: int
    kept: int
    left_out: tuple[VerifiedProblem, ...]
    benchmark_sha256: str = if_set("")

    @property
    def undecided(self) -> list[str]:
        """The problems on which the machine failed."""
        return [one.problem for one in self.left_out if one.finding is Finding.OWN_SOLUTIONS_UNDECIDED]
