"""Scores equal the estimators on what is known, bounds hold whatever the missing outcomes are, groups are right."""

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.leaderboard.estimators import pass_at_k, pass_n_at_k
from turnwise.leaderboard.outcomes import MISSING, Costs, TaskOutcomes
from turnwise.leaderboard.scores import ALL, CLEAN, Estimate, groups, score_task
from turnwise.records.codec import to_json
from turnwise.records.metrics import NAtK
from turnwise.records.run_folder import AskedProblem, TaskRecord

Outcome = tuple[int, int]
Outcomes = list[list[list[Outcome]]]  # [problem][sample][turn budget]: (passed, public)

WRONG, PUBLIC, RIGHT, UNJUDGED, UNKNOWN = (0, 0), (0, 1), (1, 1), (MISSING, 1), (MISSING, MISSING)
FILLINGS = {UNJUDGED: (PUBLIC, RIGHT), UNKNOWN: (WRONG, PUBLIC, RIGHT)}
N_AT_K = [NAtK(n, k) for n in (1, 2, 3) for k in (1, 2, 3, 4, 6)]


def _outcomes(entries: Outcomes, problems: list[AskedProblem] | None = None) -> TaskOutcomes:
    array = np.array(entries, dtype=np.int8)
    record = TaskRecord(
        task="t",
        benchmark="b",
        split="test",
        max_turns=array.shape[2],
        strategy="multi_turn",
        data_sha256="0",
        loaded=len(array),
        asked=problems or [AskedProblem(id=f"b/{number}") for number in range(len(array))],
    )
    return TaskOutcomes(
        record, array[..., 0], array[..., 1], np.full(array.shape[:3], MISSING), {}, {}, {}, (), Costs()
    )


def _by_name(estimates: tuple[Estimate, ...], group: str = ALL) -> dict[tuple[str, int], Estimate]:
    return {(one.metric, one.turns): one for one in estimates if one.group == group}


def _estimate(metric: str, turns: int, known: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    """Return the metric of each problem from int8[problem, sample, (passed, public)], all known."""
    passed, public = known[..., 0] == 1, known[..., 1] == 1
    if metric.startswith("pass@"):
        return pass_at_k(passed, k=int(metric.removeprefix("pass@")))
    n, k = map(int, metric.split("@"))
    return pass_n_at_k(passed, public, n=n, k=k, turns=turns)


@st.composite
def arrays(draw: st.DrawFn, entries: tuple[Outcome, ...], *, problems: int, samples: int, turns: int) -> Outcomes:
    """Draw outcomes of up to so many problems, samples and turn budgets."""
    shape = [draw(st.integers(1, most)) for most in (problems, samples, turns)]
    entry = st.sampled_from(entries)
    return [[[draw(entry) for _ in range(shape[2])] for _ in range(shape[1])] for _ in range(shape[0])]


@settings(max_examples=80, deadline=None)
@given(arrays((WRONG, PUBLIC, RIGHT), problems=3, samples=6, turns=4), st.lists(st.sampled_from(N_AT_K), unique=True))
def test_without_gaps_every_metric_is_its_estimator_on_the_whole_array(entries: Outcomes, asked: list[NAtK]) -> None:
    """At every budget, the mean over all problems; both bounds are the value itself."""
    outcomes = _outcomes(entries)
    for estimate in score_task(outcomes, n_at_k=asked):
        known = np.array(entries, dtype=np.int8)[:, :, estimate.turns - 1]
        value = float(np.mean(_estimate(estimate.metric, estimate.turns, known)))
        assert (estimate.value, estimate.lower_bound, estimate.upper_bound) == (value, value, value)
        assert (estimate.group, estimate.counted, estimate.asked) == (ALL, len(entries), len(entries))


@settings(max_examples=80, deadline=None)
@given(arrays((WRONG,), problems=1, samples=6, turns=4), st.lists(st.sampled_from(N_AT_K), unique=True))
def test_every_budget_has_the_metrics_that_its_samples_support(entries: Outcomes, asked: list[NAtK]) -> None:
    """pass@1, pass@K; 1@t at t turns; n@k wherever k replies make n of the K dialogues, of at most k turns."""
    samples, turns = len(entries[0]), len(entries[0][0])
    wanted = {(f"pass@{k}", budget) for k in (1, samples) for budget in range(1, turns + 1)}
    if turns > 1:
        wanted |= {(f"1@{budget}", budget) for budget in range(1, turns + 1)}
    for metric, budget in product(asked, range(1, turns + 1)):
        if budget <= metric.k and metric.n <= metric.k // budget <= samples:
            wanted.add((str(metric), budget))
    found = [(one.metric, one.turns) for one in score_task(_outcomes(entries), n_at_k=asked)]
    assert sorted(found) == sorted(wanted)


@settings(max_examples=150, deadline=None)
@given(arrays((WRONG, PUBLIC, RIGHT, UNJUDGED, UNKNOWN), problems=2, samples=3, turns=2))
def test_the_bounds_are_the_least_and_the_most_that_can_be(entries: Outcomes) -> None:
    """Over every way to fill in what is missing, n@k included: none is outside, and both ends are reached."""
    estimates = score_task(_outcomes(entries), n_at_k=N_AT_K)
    for budget in range(1, len(entries[0][0]) + 1):
        choices = [FILLINGS.get(sample[budget - 1], (sample[budget - 1],)) for row in entries for sample in row]
        filled = np.array(list(product(*choices)), dtype=np.int8)
        by_filling = filled.reshape(len(filled), len(entries), len(entries[0]), 2)
        for estimate in (one for one in estimates if one.turns == budget):
            values = _estimate(estimate.metric, budget, by_filling.reshape(-1, len(entries[0]), 2))
            means = values.reshape(len(filled), len(entries)).mean(axis=1)
            assert estimate.lower_bound == pytest.approx(means.min(), abs=1e-12)
            assert estimate.upper_bound == pytest.approx(means.max(), abs=1e-12)


@settings(max_examples=150, deadline=None)
@given(arrays((WRONG, PUBLIC, RIGHT, UNJUDGED, UNKNOWN), problems=3, samples=4, turns=1))
def test_a_value_of_one_problem_is_never_outside_its_bounds(entries: Outcomes) -> None:
    """Estimating from the known samples of a problem gives nothing that filling in the others could not give."""
    for row in entries:
        for estimate in score_task(_outcomes([row]), n_at_k=N_AT_K):
            if estimate.value is not None:
                assert estimate.lower_bound - 1e-12 <= estimate.value <= estimate.upper_bound + 1e-12


def test_missing_samples_are_left_out_of_their_problem() -> None:
    """One right of two known, a third unknown: one half, between one and two thirds."""
    pass_at_1 = _by_name(score_task(_outcomes([[[RIGHT], [WRONG], [UNKNOWN]]])))["pass@1", 1]
    assert (pass_at_1.value, pass_at_1.counted, pass_at_1.asked) == (0.5, 1, 1)
    assert [pass_at_1.lower_bound, pass_at_1.upper_bound] == pytest.approx([1 / 3, 2 / 3])


def test_a_problem_with_too_few_known_samples_is_left_out_of_the_mean() -> None:
    """pass@2 rests on the problem with two known samples; the other widens the bounds."""
    pass_at_2 = _by_name(score_task(_outcomes([[[RIGHT], [WRONG]], [[WRONG], [UNKNOWN]]])))["pass@2", 1]
    assert (pass_at_2.value, pass_at_2.counted, pass_at_2.asked) == (1.0, 1, 2)
    assert (pass_at_2.lower_bound, pass_at_2.upper_bound) == (0.5, 1.0)


def test_a_problem_with_unjudged_programs_is_left_out_of_the_mean() -> None:
    """What waits for the judge passed the public tests, so the known samples are the bad ones: no mean over them."""
    scores = _by_name(score_task(_outcomes([[[WRONG], [UNJUDGED]], [[RIGHT], [WRONG]]])))
    assert (scores["pass@1", 1].value, scores["pass@1", 1].counted) == (0.5, 1)
    assert (scores["pass@1", 1].lower_bound, scores["pass@1", 1].upper_bound) == (0.25, 0.5)


def test_nothing_known_is_no_number() -> None:
    """No value, bounds 0 to 1."""
    for estimate in score_task(_outcomes([[[UNKNOWN, UNKNOWN]]]), n_at_k=[NAtK(1, 2)]):
        assert (estimate.value, estimate.counted) == (None, 0)
        assert (estimate.lower_bound, estimate.upper_bound) == (0.0, 1.0)


def test_a_budget_rests_on_its_own_outcomes() -> None:
    """A dialogue whose second turn is unknown still counts at the first."""
    scores = _by_name(score_task(_outcomes([[[WRONG, UNKNOWN]], [[RIGHT, RIGHT]]])))
    assert (scores["1@1", 1].value, scores["1@1", 1].counted) == (0.5, 2)
    assert (scores["1@2", 2].value, scores["1@2", 2].counted) == (1.0, 1)
    assert (scores["1@2", 2].lower_bound, scores["1@2", 2].upper_bound) == (0.5, 1.0)


def test_ten_and_a_hundred_samples_have_their_pass_at_k() -> None:
    """k = 1, 10, 100 and all of them, for single-turn tasks without 1@1."""
    estimates = score_task(_outcomes([[[WRONG]] * 119 + [[RIGHT]]]))
    assert [one.metric for one in estimates] == ["pass@1", "pass@10", "pass@100", "pass@120"]
    assert [one.value for one in estimates] == pytest.approx([1 / 120, 1 / 12, 5 / 6, 1.0])


def _problem(difficulty: str = "", *flags: str) -> AskedProblem:
    return AskedProblem(id="b/p", difficulty=difficulty, flags=list(flags))


def test_clean_problems_are_a_group_where_others_are_flagged() -> None:
    """Only several right answers count, and only if neither none nor all have them."""
    one, several, other = _problem(), _problem("", "multiple_answers"), _problem("", "special_judge")
    assert groups([one, several, other]) == {ALL: [0, 1, 2], CLEAN: [0, 2]}
    assert groups([one, other]) == {ALL: [0, 1]}
    assert groups([several, several]) == {ALL: [0, 1]}


def test_taco_levels_stand_in_their_order() -> None:
    """From easy to very hard, then what the list does not know, then problems without a level."""
    names = ["", "VERY_HARD", "EASY", "ODD", "HARD", "MEDIUM_HARD", "MEDIUM", "EASY"]
    found = groups([_problem(name) for name in names])
    assert list(found)[1:] == [
        "difficulty EASY",
        "difficulty MEDIUM",
        "difficulty MEDIUM_HARD",
        "difficulty HARD",
        "difficulty VERY_HARD",
        "difficulty ODD",
        "difficulty unknown",
    ]
    assert (found["difficulty EASY"], found["difficulty unknown"]) == ([2, 7], [0])


def test_ratings_are_banded_and_in_their_order() -> None:
    """400 points each, ascending as numbers; a problem without a rating comes last."""
    found = groups([_problem(rating) for rating in ("1600", "800", "", "1999", "399", "2000", "0")])
    assert found == {
        ALL: [0, 1, 2, 3, 4, 5, 6],
        "difficulty 0-399": [4, 6],
        "difficulty 800-1199": [1],
        "difficulty 1600-1999": [0, 3],
        "difficulty 2000-2399": [5],
        "difficulty unknown": [2],
    }


@given(st.lists(st.sampled_from(["", "EASY", "HARD", "1", "400", "3500"]), min_size=1, max_size=8))
def test_difficulties_divide_the_problems(names: list[str]) -> None:
    """Each problem is in exactly one level, and there are levels only where one is known."""
    found = groups([_problem(name) for name in names])
    levels = [row for name, rows in found.items() if name.startswith("difficulty ") for row in rows]
    assert sorted(levels) == (list(range(len(names))) if any(names) else [])


def test_a_group_is_scored_on_its_problems_alone() -> None:
    """The clean problem's value, bounds and count are those of a task of its own."""
    entries = [[[RIGHT], [WRONG]], [[WRONG], [UNKNOWN]]]
    problems = [_problem("", "multiple_answers"), _problem()]
    whole = score_task(_outcomes(entries, problems))
    alone = score_task(_outcomes(entries[1:]))
    assert {one.group for one in whole} == {ALL, CLEAN}
    clean = _by_name(whole, CLEAN)
    for estimate in alone:
        same = to_json(clean[estimate.metric, estimate.turns])
        assert same == {**to_json(estimate), "group": CLEAN}


@pytest.mark.parametrize("unknown", [UNKNOWN, UNJUDGED])
def test_what_is_missing_but_cannot_change_the_value_leaves_nothing_out(unknown: Outcome) -> None:
    """One right sample of two makes pass@2 certain: the problem counts, where all others do."""
    outcomes = _outcomes([[[RIGHT], [unknown]], [[WRONG], [WRONG]]])
    estimate = _by_name(score_task(outcomes))["pass@2", 1]
    assert (estimate.value, estimate.counted, estimate.is_certain) == (0.5, 2, True)


def test_a_level_of_any_name_is_a_group() -> None:
    """Difficulties are free text in some data."""
    problems = [AskedProblem(id="b/0", difficulty="1 star"), AskedProblem(id="b/1", difficulty="900")]
    assert [name for name in groups(problems) if name != ALL] == ["difficulty 1 star", "difficulty 800-1199"]


def test_solved_problems_do_not_count_alone() -> None:
    """Each problem lacks a sample: pass@2 of the solved one is certain, and without the other it would flatter."""
    outcomes = _outcomes([[[RIGHT], [UNKNOWN]], [[WRONG], [UNKNOWN]]])
    estimate = _by_name(score_task(outcomes))["pass@2", 1]
    assert (estimate.value, estimate.counted) == (None, 0)
    assert (estimate.lower_bound, estimate.upper_bound) == (0.5, 1.0)
