"""Outcomes: every turn budget from one run, what is not known is missing, judgements count for their program only."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turnwise.leaderboard.outcomes import MISSING, Costs, Gap, TaskOutcomes, read_outcomes
from turnwise.records.judgement import Judgement
from turnwise.records.report import Verdict
from turnwise.records.settings import RunSettings
from turnwise.records.trajectory import End, Trajectory

MakeDialogue = Callable[..., Trajectory]
MakeJudgement = Callable[..., Judgement]
WriteRun = Callable[..., Path]


@pytest.fixture
def read(tmp_path: Path, write_run: WriteRun) -> Callable[..., TaskOutcomes]:
    """read(trajectories, judgements, ...): the outcomes of the only task of a run folder written for it."""

    def write_and_read(*arguments: Any, **options: Any) -> TaskOutcomes:
        return read_outcomes(write_run(tmp_path / "run", *arguments, **options)).tasks[0]

    return write_and_read


Read = Callable[..., TaskOutcomes]


def _of_one(outcomes: TaskOutcomes) -> tuple[list[int], list[int]]:
    return outcomes.passed[0, 0].tolist(), outcomes.public[0, 0].tolist()


@pytest.mark.parametrize(
    ("words", "verdict", "passed", "public"),
    [
        (("pass",), Verdict.PASSED, [1, 1, 1], [1, 1, 1]),
        (("fail", "pass"), Verdict.PASSED, [0, 1, 1], [0, 1, 1]),
        (("none", "fail", "pass"), Verdict.PASSED, [0, 0, 1], [0, 0, 1]),
        (("pass",), Verdict.WRONG_ANSWER, [0, 0, 0], [1, 1, 1]),
        (("fail", "pass"), Verdict.TIME_LIMIT, [0, 0, 0], [0, 1, 1]),
    ],
)
def test_a_dialogue_counts_from_the_turn_that_ended_it(
    read: Read,
    dialogue: MakeDialogue,
    judge: MakeJudgement,
    words: tuple[str, ...],
    verdict: Verdict,
    passed: list[int],
    public: list[int],
) -> None:
    """With a budget of T turns the program of turn T is submitted, or that of the turn that passed before it."""
    trajectory = dialogue(*words)
    outcomes = read([trajectory], [judge(trajectory, -1, verdict, public_passed=True)])
    assert _of_one(outcomes) == (passed, public)
    assert (outcomes.missing, outcomes.verdicts) == (0, {verdict: 1})


@pytest.mark.parametrize(
    ("words", "end", "passed", "public"),
    [
        (("fail", "none", "fail"), End.TURN_LIMIT, [0, 0, 0], [0, 0, 0]),
        (("fail",), End.NO_MORE_ANSWERS, [0, 0, 0], [0, 0, 0]),
        (("fail",), End.CONTEXT_OVERFLOW, [0, 0, 0], [0, 0, 0]),
        ((), End.CONTEXT_OVERFLOW, [0, 0, 0], [0, 0, 0]),
        (("fail",), End.REQUEST_FAILED, [0, MISSING, MISSING], [0, MISSING, MISSING]),
        (("fail", "none"), End.INFRASTRUCTURE_FAILURE, [0, 0, MISSING], [0, 0, MISSING]),
        ((), End.REQUEST_FAILED, [MISSING] * 3, [MISSING] * 3),
        (("fail", "pass"), End.PUBLIC_PASSED, [0, MISSING, MISSING], [0, 1, 1]),
    ],
)
def test_each_end_says_what_is_known_at_each_budget(
    read: Read, dialogue: MakeDialogue, words: tuple[str, ...], end: End, passed: list[int], public: list[int]
) -> None:
    """The model's own ends are failures; a failed request or machine is missing beyond the turns that are there."""
    outcomes = read([dialogue(*words, end=end)])
    assert _of_one(outcomes) == (passed, public)
    assert outcomes.ends == {end: 1}


@pytest.mark.parametrize(
    ("words", "end", "gap"),
    [
        (("fail",), End.REQUEST_FAILED, Gap.REQUEST_FAILED),
        (("fail",), End.INFRASTRUCTURE_FAILURE, Gap.INFRASTRUCTURE_FAILURE),
        (("pass",), End.PUBLIC_PASSED, Gap.NOT_JUDGED),
    ],
)
def test_each_gap_has_its_reason(
    read: Read, dialogue: MakeDialogue, words: tuple[str, ...], end: End, gap: Gap
) -> None:
    """A dialogue without an outcome is counted under why, and has no verdict."""
    outcomes = read([dialogue(*words, end=end)])
    assert (outcomes.gaps, outcomes.missing, outcomes.verdicts) == ({gap: 1}, 1, {})


def test_what_has_not_been_sampled_is_missing(read: Read, dialogue: MakeDialogue) -> None:
    """Of four dialogues asked for, the one that is there stands in its place; the others are unknown, not wrong."""
    outcomes = read(
        [dialogue("fail", "fail", "fail", problem="b/b", sample=1)],
        problems=["b/a", "b/b"],
        settings=RunSettings(samples_per_problem=2),
    )
    assert outcomes.passed[:, :, 2].tolist() == [[MISSING, MISSING], [MISSING, 0]]
    assert (outcomes.dialogues, outcomes.gaps) == (4, {Gap.NOT_SAMPLED: 3})
    assert [problem.id for problem in outcomes.problems] == ["b/a", "b/b"]


def test_a_judgement_goes_before_the_public_report(read: Read, dialogue: MakeDialogue, judge: MakeJudgement) -> None:
    """Judged anew, a program that failed the public tests may pass, and the other way round, turn by turn."""
    trajectory = dialogue("fail", "pass")
    outcomes = read([trajectory], [judge(trajectory, 0), judge(trajectory, 1, Verdict.WRONG_ANSWER)])
    assert _of_one(outcomes) == ([1, 0, 0], [1, 0, 0])
    assert outcomes.verdicts == {Verdict.WRONG_ANSWER: 1}


def test_judged_anew_nothing_is_known_without_its_own_judgement(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement
) -> None:
    """The public reports are another judge's: a program not judged yet is missing, not wrong; no program is wrong."""
    trajectory = dialogue("fail", "none", "fail")
    path = write_run(tmp_path / "run", [trajectory], [judge(trajectory, 2, Verdict.WRONG_ANSWER)])
    text = (path / "run.json").read_text()
    (path / "run.json").write_text(text.replace('"judge":{', '"judge":{"judged_anew":true,'))
    outcomes = read_outcomes(path).tasks[0]
    assert _of_one(outcomes) == ([MISSING, 0, 0], [MISSING, 0, 0])


def test_a_full_context_fails_beyond_its_turns_even_if_a_program_is_right_when_judged_anew(
    read: Read, dialogue: MakeDialogue, judge: MakeJudgement
) -> None:
    """The model had to write another program and could not; recorded answers that end leave the last one standing."""
    full, ended = dialogue("fail", end=End.CONTEXT_OVERFLOW), dialogue("fail", sample=1, end=End.NO_MORE_ANSWERS)
    outcomes = read([full, ended], [judge(full), judge(ended)], settings=RunSettings(samples_per_problem=2))
    assert outcomes.passed[0].tolist() == outcomes.public[0].tolist() == [[1, 0, 0], [1, 1, 1]]


@pytest.mark.parametrize(
    "other",
    [
        {"program": "0" * 16},
        {"problem": "b/b"},
        {"sample": 1},
        {"turn": 1},
        {"task": "u"},
    ],
)
def test_a_judgement_on_another_program_says_nothing(
    read: Read, dialogue: MakeDialogue, judge: MakeJudgement, other: dict[str, Any]
) -> None:
    """Task, problem, sample, turn and the program's text have to be those of the turn."""
    trajectory = dialogue("pass")
    outcomes = read([trajectory], [replace(judge(trajectory), **other)])
    assert _of_one(outcomes) == ([MISSING] * 3, [1] * 3)
    assert outcomes.gaps == {Gap.NOT_JUDGED: 1}


def test_a_program_sampled_anew_waits_for_its_own_judgement(
    read: Read, dialogue: MakeDialogue, judge: MakeJudgement
) -> None:
    """The judgement on the text that stood there before is of no account."""
    trajectory = dialogue("pass")
    outcomes = read([trajectory], [judge(trajectory, of_program="print('before')\n")])
    assert outcomes.gaps == {Gap.NOT_JUDGED: 1}


def test_costs_are_summed_over_calls_and_judgements(read: Read, dialogue: MakeDialogue, judge: MakeJudgement) -> None:
    """Calls, tokens, CPU seconds of judging; the tiers are those that judged, or else ran the public tests."""
    first, second = dialogue("fail", "pass", tokens=(10, 5)), dialogue("none", sample=1, tokens=(7, 1))
    outcomes = read(
        [first, second],
        [judge(first, cpu_seconds=0.25, tier="namespaces"), judge(first, 0, Verdict.WRONG_ANSWER, cpu_seconds=0.5)],
        settings=RunSettings(samples_per_problem=2),
        tasks={"t": 2},
    )
    assert outcomes.costs == Costs(3, 27, 11, 0.75)
    assert outcomes.tiers == ("namespaces", "none")


def test_tokens_are_unknown_where_one_call_does_not_tell(read: Read, dialogue: MakeDialogue) -> None:
    """A sum over some of the calls would look like all of them."""
    outcomes = read(
        [dialogue("fail", tokens=(10, 5)), dialogue("fail", sample=1)], settings=RunSettings(samples_per_problem=2)
    )
    assert outcomes.costs == Costs(2, None, None, 0.0)


def test_tasks_of_a_run_do_not_mix(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement
) -> None:
    """Two tasks with the same problem have their own turns, dialogues and judgements."""
    several, single = dialogue("fail", "pass"), dialogue("pass", task="u")
    path = write_run(tmp_path / "run", [several, single], [judge(several)], tasks={"t": 3, "u": 1}, model="both")
    run = read_outcomes(path)
    assert [one.passed.tolist() for one in run.tasks] == [[[[0, 1, 1]]], [[[MISSING]]]]
    assert (run.path, run.model, [one.record.task for one in run.tasks]) == (path, "both", ["t", "u"])


turns = st.lists(st.sampled_from(["fail", "none"]), max_size=2)
endings = st.sampled_from(["right", "wrong", "unjudged", *(end.value for end in End if end is not End.PUBLIC_PASSED)])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=turns, ending=endings)
def test_a_budget_is_a_run_with_that_many_turns(
    dialogue: MakeDialogue, judge: MakeJudgement, write_run: WriteRun, before: list[str], ending: str
) -> None:
    """Cutting every dialogue after T turns, and running with T turns, give the same outcomes at budget T."""
    is_pass = ending in ("right", "wrong", "unjudged")
    words, end = ([*before, "pass"], End.PUBLIC_PASSED) if is_pass else (before, End(ending))
    words += ["fail"] * (3 - len(words)) if end is End.TURN_LIMIT else []
    words += ["fail"] if end is End.NO_MORE_ANSWERS and not words else []  # else the request failed

    def read_run(path: Path, turns: int) -> TaskOutcomes:
        cut = End.TURN_LIMIT if len(words) > turns or (len(words) == turns and not is_pass) else end
        trajectory = dialogue(*words[:turns], end=cut)
        judgements = []
        if ending in ("right", "wrong") and len(words) <= turns:
            verdict = Verdict.PASSED if ending == "right" else Verdict.WRONG_ANSWER
            judgements = [judge(trajectory, -1, verdict, public_passed=True)]
        return read_outcomes(write_run(path, [trajectory], judgements, tasks={"t": turns})).tasks[0]

    with tempfile.TemporaryDirectory() as folder:
        full = read_run(Path(folder, "full"), 3)
        for budget in (1, 2, 3):
            own = read_run(Path(folder, str(budget)), budget)
            assert np.array_equal(own.passed[:, :, -1], full.passed[:, :, budget - 1])
            assert np.array_equal(own.public[:, :, -1], full.public[:, :, budget - 1])
