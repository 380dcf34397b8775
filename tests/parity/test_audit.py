"""How far verdicts on real CodeContests programs and outputs can be trusted: the figures of docs/parity.md."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from turnwise.records.audit import Audit, Truth, Unit
from turnwise.records.settings import JudgeSettings
from turnwise.runners.audit import AuditPlan, audit_task
from turnwise.runners.execution.interface import Executor
from turnwise.runners.judging.checking import Checkers
from turnwise.runners.loading import Machine
from turnwise.tasks.catalog import TASKS

pytestmark = [pytest.mark.data, pytest.mark.slow]

TASK = TASKS["codecontests_singleturn"]
EQUALITY = JudgeSettings(answers="equality", tests="all")


@pytest.fixture(scope="module")
def machine(executor: Executor, cache_dir: Path) -> Iterator[Machine]:
    """Judges two programs at a time."""
    with Checkers() as checkers:
        yield Machine(executor, cache_dir, None, {}, 2, checkers=checkers)


def _counts(audit: Audit) -> dict[tuple[Truth, Unit], tuple[int, int, int]]:
    return {(rate.truth, rate.unit): (rate.accepted, rate.refused, rate.missing) for rate in audit.rates}


@pytest.mark.parametrize(
    ("settings", "outputs", "programs"),
    [(EQUALITY, (826, 351, 0), (48, 50, 0)), (JudgeSettings(), (1173, 0, 0), (94, 0, 0))],
)
def test_right_outputs_of_human_programs(
    settings: JudgeSettings,
    outputs: tuple[int, int, int],
    programs: tuple[int, int, int],
    machine: Machine,
    full_dir: Path,
) -> None:
    """Equality refuses a third of them, on problems with several answers; checkers with valid tests accept all."""
    plan = AuditPlan(labels=full_dir.parent / "labels" / "right_outputs.jsonl.gz", mutants=0)
    audit = audit_task(TASK, replace(machine, data_dir=full_dir), settings, plan)
    assert _counts(audit) == {
        (Truth.RIGHT, Unit.OUTPUTS): outputs,
        (Truth.RIGHT, Unit.PROGRAMS): programs,
    }


@pytest.mark.long
def test_human_programs_by_equality(machine: Machine, data_dir: Path) -> None:
    """33 of 223 accepted human programs are refused, and those that need more than the time limit here."""
    train = replace(TASK, split="train")
    audit = audit_task(train, replace(machine, data_dir=data_dir), EQUALITY, AuditPlan(mutants=0))
    (accepted, refused, missing) = _counts(audit)[Truth.RIGHT, Unit.PROGRAMS]
    verdicts = Counter(program.verdict for problem in audit.by_problem for program in problem.misjudged)
    assert (verdicts["wrong_answer"], verdicts["runtime_error"], missing) == (29, 4, 0)
    assert accepted + refused == 223 and refused == verdicts.total() == 33 + verdicts["time_limit"]
