"""Counting what each step of making training data leaves and drops, of single-turn and multi-turn dialogues.

A single-turn dialogue has one turn at most, a multi-turn one more. What a step leaves and drops together is what the
step before it left. Up to the step ``uncontaminated`` the tokens of a dialogue are those that its model counted, all
prompts included; from ``replayed`` on they are those of its rows.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from turnwise.errors import TurnwiseError
from turnwise.records.training import DataReport, DataStep, StepCount
from turnwise.training.data.selection import Drop, Reason, Step

SINGLE, MULTI = "single", "multi"
KINDS = (SINGLE, MULTI)
_BY_ROWS = (Step.REPLAYED, Step.FITTING)


def kind_of(turns: int) -> str:
    """Return whether a dialogue of so many turns is a single-turn or a multi-turn one."""
    return MULTI if turns > 1 else SINGLE


class EmptyDataError(TurnwiseError):
    """A step left no dialogue."""


@dataclass(slots=True)
class _Count:
    problems: int = 0
    dialogues: int = 0
    tokens: int | None = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, other: StepCount) -> None:
        self.problems += other.problems
        self.dialogues += other.dialogues
        self.tokens = None if self.tokens is None or other.tokens is None else self.tokens + other.tokens
        self.dropped.update(other.dropped)

    def to_record(self) -> StepCount:
        return StepCount(self.problems, self.dialogues, self.tokens, dict(sorted(self.dropped.items())))


class StepCounts:
    """The counts of ``steps``; a problem's dialogues are counted one after the other, then the problem is ended."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = tuple(steps)
        self._counts = {(step, kind): _Count() for step in steps for kind in KINDS}
        self._of_problem: set[tuple[Step, str]] = set()

    def take(self, kind: str, drop: Drop | None, *, sampled: int | None, learnt: int | None) -> None:
        """Count a dialogue of ``sampled`` tokens by its model, ``learnt`` by its rows, up to the step that drops it."""
        for step in self._steps:
            count = self._counts[step, kind]
            if drop is not None and drop[0] is step:
                count.dropped[drop[1].value] += 1
                return
            self._of_problem.add((step, kind))
            count.dialogues += 1
            tokens = learnt if step in _BY_ROWS else sampled
            count.tokens = None if tokens is None or count.tokens is None else count.tokens + tokens

    def end_problem(self) -> None:
        """Count the problem where a dialogue of it was left."""
        for key in self._of_problem:
            self._counts[key].problems += 1
        self._of_problem.clear()

    def add(self, steps: Sequence[DataStep]) -> None:
        """Add the counts of other problems."""
        for step in steps:
            self._counts[Step(step.name), SINGLE].add(step.single)
            self._counts[Step(step.name), MULTI].add(step.multi)

    def to_record(self) -> tuple[DataStep, ...]:
        """Return the steps in their order."""
        return tuple(
            DataStep(step.value, self._counts[step, SINGLE].to_record(), self._counts[step, MULTI].to_record())
            for step in self._steps
        )


def check_not_empty(report: DataReport) -> None:
    """Raise EmptyDataError, naming the step and its reasons, if it left no dialogue of those that were wanted."""
    turns = report.settings.turns
    for step in report.steps:
        counts = [getattr(step, kind) for kind in KINDS if turns in (kind, "all")]
        if any(count.dialogues for count in counts):
            continue
        dropped = sum((Counter(count.dropped) for count in counts), Counter[str]())
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(dropped.items()))
        which = "" if turns == "all" else f" {turns}-turn"
        kinds = [kind for one in report.steps if one.name == Step.JUDGED for kind in (one.single, one.multi)]
        unjudged = sum(kind.dropped.get(Reason.NOT_JUDGED, 0) for kind in kinds)
        remedy = "sample more, or ask for others with --turns"
        if unjudged:
            remedy = f"turnwise judge the runs first, since {unjudged:,} dialogues have no verdict, or {remedy}"
        raise EmptyDataError(
            f"No{which} dialogue is left after the step {step.name} ({reasons or 'there was none before'}): {remedy}."
        )
