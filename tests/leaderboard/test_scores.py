"""Scores of a task: turn budgets by truncation, missing outcomes apart with bounds; tables say so."""

import pytest

from turnwise.leaderboard.scores import Estimate, Outcome, score_outcomes
from turnwise.leaderboard.tables import TaskScores, render_table


def _scores(*outcomes: Outcome, samples: int = 1, max_turns: int = 3) -> dict[str, Estimate]:
    problems = ["a", "b", "c", "d"]
    estimates = score_outcomes(outcomes, problems=problems, samples=samples, max_turns=max_turns)
    return {estimate.metric: estimate for estimate in estimates}


def test_turn_budgets_come_from_one_run() -> None:
    """A dialogue solved in turn t counts for every budget from t on."""
    scores = _scores(
        Outcome("a", 0, True, True, 1),
        Outcome("b", 0, True, True, 2),
        Outcome("c", 0, False, True, 1),
        Outcome("d", 0, True, True, 3),
    )
    assert {metric: estimate.value for metric, estimate in scores.items()} == {
        "1@1": 0.25,
        "1@2": 0.5,
        "1@3": 0.75,
        "pass@1": 0.75,
    }


def test_single_turn_tasks_get_pass_at_k() -> None:
    """Every k that the samples allow, with all samples used."""
    outcomes = [
        Outcome(problem, sample, problem == "a" and sample == 0, True, 1) for problem in "abcd" for sample in range(10)
    ]
    scores = _scores(*outcomes, samples=10, max_turns=1)
    assert list(scores) == ["pass@1", "pass@10"]
    assert scores["pass@1"].value == pytest.approx(0.025)
    assert scores["pass@10"].value == pytest.approx(0.25)


def test_missing_outcomes_are_no_failures() -> None:
    """The mean is over what is known, the bounds over everything asked."""
    scores = _scores(Outcome("a", 0, True, True, 1), Outcome("b", 0, None, None, 0), Outcome("c", 0, False, False, 3))
    estimate = scores["1@3"]
    assert (estimate.value, estimate.counted, estimate.asked) == (0.5, 2, 4)
    assert (estimate.lower_bound, estimate.upper_bound) == (0.25, 0.75)
    assert scores["1@1"].upper_bound == 0.75


def test_nothing_known_is_no_number() -> None:
    """All missing: no value, bounds 0 to 1."""
    estimate = _scores(max_turns=1)["pass@1"]
    assert (estimate.value, estimate.lower_bound, estimate.upper_bound) == (None, 0.0, 1.0)


def test_a_table_tells_what_it_rests_on() -> None:
    """Problems left out stand beside the score, missing dialogues below it."""
    whole = TaskScores("m", "t1", (Estimate("1@3", 0.5, 4, 4, 0.5, 0.5),), 6, 4, 4, 0)
    partial = TaskScores(
        "m", "t2", (Estimate("1@3", 0.5, 2, 4, 0.25, 0.75), Estimate("pass@10", None, 0, 4, 0, 1)), 4, 4, 4, 2, 1
    )
    assert render_table([whole, partial]) == (
        "model    task      problems    dialogues    1@3    pass@10\n"
        "-------  ------  ----------  -----------  -----  ---------\n"
        "m        t1          4 of 6            4   50.0\n"
        "m        t2          4 of 4            4  50.0*    missing\n"
        "* m, t2: 2 of 4 dialogues are missing (not counted as wrong): 1@3 is over 2 of 4 problems, "
        "bounds 25.0 to 75.0; pass@10 is over 0 of 4 problems, bounds 0.0 to 100.0.\n"
        "m, t2: in 1 of 4 dialogues the recorded answers end before the turn limit; the last one is the submission."
    )
