"""What kind of answer each problem of a test split has, by reading its statement: the committed table kinds.csv.

A problem that nobody read has no line here; its kind is guessed from its wording (benchmarks/flags.py).
"""

import csv
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib import resources

from turnwise.records.problem import MatchRule, Measure


class Answers(StrEnum):
    """How many outputs are right: one; several; the parts of one in any order; a number within a tolerance.

    An interactive program talks with a judge, and has no output of its own. ``mismatched``: the tests are those of
    another problem.
    """

    ONE = "one"
    SEVERAL = "several"
    ORDER = "order"
    TOLERANCE = "tolerance"
    INTERACTIVE = "interactive"
    MISMATCHED = "mismatched"


class Case(StrEnum):
    """What a statement says of the case of words; mostly nothing."""

    ANY = "any"
    EXACT = "exact"
    UNSTATED = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A line of the table; ``tolerance`` is None where the statement gives none, ``reason`` says what was read."""

    answers: Answers
    case: Case
    tolerance: float | None
    measure: Measure
    reason: str

    @property
    def has_several(self) -> bool:
        """Whether more than one output is right, by more than a tolerance."""
        return self.answers in (Answers.SEVERAL, Answers.ORDER)

    def stated_rule(self, rule: MatchRule) -> MatchRule | None:
        """Return ``rule`` as the statement has it, or None where it says nothing else."""
        stated = replace(rule, ignore_case=self.case is not Case.EXACT) if self.case is not Case.UNSTATED else rule
        if self.tolerance is not None:
            stated = replace(stated, any_number=True, tolerance=self.tolerance, measure=self.measure)
        return stated if stated != rule else None


def kind_of(benchmark: str, split: str, problem: str) -> Kind | None:
    """Return the kind of the problem that the data set calls ``problem``, or None if nobody has read it."""
    return _kinds().get((benchmark, split, problem))


@cache
def _kinds() -> dict[tuple[str, str, str], Kind]:
    with resources.files("turnwise.benchmarks.checkers").joinpath("kinds.csv").open(encoding="utf-8") as file:
        return {(row["benchmark"], row["split"], row["problem"]): _kind(row) for row in csv.DictReader(file)}


def _kind(row: dict[str, str]) -> Kind:
    return Kind(
        Answers(row["kind"]),
        Case(row["case"]),
        float(row["tolerance"]) if row["tolerance"] else None,
        Measure(row["measure"]) if row["measure"] else Measure.EITHER,
        row["reason"],
    )
