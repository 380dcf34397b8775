"""Every statement of CodeContests' test split and every scorable one of TACO's has been read: what was found stands."""

from collections import Counter
from pathlib import Path

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.checkers.checker_sets import load_checkers
from turnwise.benchmarks.checkers.kinds import Answers, Kind, kind_of
from turnwise.records.problem import Flag, Limits, MatchRule, Measure, Problem

CODECONTESTS = MatchRule(ignore_case=True)


@pytest.fixture(scope="module")
def contests(full_dir: Path) -> tuple[Problem, ...]:
    """All problems of CodeContests' test split."""
    return load_problems("codecontests", data_dir=full_dir).problems


def _kind(problem: Problem) -> Kind:
    kind = kind_of(problem.benchmark, problem.split, problem.name)
    assert kind is not None, problem.id
    return kind


@pytest.mark.data
def test_all_of_codecontests_is_read(contests: tuple[Problem, ...]) -> None:
    """165 problems; 38 accept several answers, one the lines in any order, two state a tolerance."""
    kinds = [_kind(problem) for problem in contests]
    assert Counter(kind.answers for kind in kinds) == {
        Answers.ONE: 121,
        Answers.SEVERAL: 38,
        Answers.ORDER: 1,
        Answers.TOLERANCE: 2,
        Answers.INTERACTIVE: 3,
    }
    assert all(kind.reason for kind in kinds)
    assert not any(Flag.GUESSED_KIND in problem.flags for problem in contests)
    assert {problem.name for problem in contests if Flag.MULTIPLE_ANSWERS in problem.flags} == {
        problem.name for problem, kind in zip(contests, kinds, strict=True) if kind.has_several
    }


@pytest.mark.data
def test_all_of_codecontests_is_checked(contests: tuple[Problem, ...]) -> None:
    """Each problem with several answers has a checker and a validator; each one with generated tests a validator."""
    answers = load_checkers("checkers-1")
    several = [problem for problem in contests if _kind(problem).has_several]
    found = [answers.find(problem.id) for problem in several]
    assert all(one is not None and one.checks and one.validates for one in found)
    generated = [problem for problem in contests if problem.generated_tests and problem.is_scorable]
    missing = [problem.id for problem in generated if (one := answers.find(problem.id)) is None or not one.validates]
    assert (len(generated), missing) == (71, [])


@pytest.mark.data
def test_all_of_taco_that_can_be_scored_is_read(full_dir: Path) -> None:
    """Each row with several answers has a checker; tests of another problem make a row contradictory."""
    answers = load_checkers("checkers-1")
    problems = load_problems("taco", data_dir=full_dir).problems
    scorable = [problem for problem in problems if problem.is_scorable]
    assert all(kind_of("taco", "test", problem.name) for problem in scorable)
    several = [problem.id for problem in scorable if _kind(problem).has_several]
    assert [one for one in several if answers.find(one) is None] == []
    assert [one.name for one in problems if one.contradiction and kind_of("taco", "test", one.name)] == [
        "261",
        "582",
        "592",
    ]


def _rule(name: str) -> MatchRule | None:
    kind = kind_of("codecontests", "test", name)
    assert kind is not None
    return kind.stated_rule(CODECONTESTS)


def test_stated_rules_take_the_place_of_the_data_sets() -> None:
    """A tolerance with what it is of, a case that is demanded; nothing where the statement says nothing else."""
    park = MatchRule(ignore_case=True, any_number=True, tolerance=1e-4)
    path = MatchRule(ignore_case=True, any_number=True, tolerance=1e-6, measure=Measure.ABSOLUTE)
    assert _rule("1575_B. Building an Amusement Park") == park
    assert _rule("1599_G. Shortest path") == path
    assert _rule("1586_I. Omkar and Mosaic") == MatchRule(ignore_case=False)
    assert _rule("1575_A. Another Sorting Problem") is None
    assert kind_of("codecontests", "train", "1575_A. Another Sorting Problem") is None


def test_a_problem_keeps_its_limits_when_tests_are_left_out() -> None:
    """Only tests and their counts change."""
    problem = Problem("b/p", "b", "test", "", (), (), Limits(3.0))
    assert problem.without_tests(set()).limits == problem.limits
