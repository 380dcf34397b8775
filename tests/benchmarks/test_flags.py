"""What a statement says about its answers and its judge is read off its wording."""

from pathlib import Path

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.flags import admits_multiple_answers, is_interactive


@pytest.mark.parametrize(
    ("sentence", "admits"),
    [
        ("If there are multiple answers, print any.", True),
        ("If there are several solutions, you may output any one of them.", True),
        ("If there are many ways to do so, print any of them.", True),
        ("If more than one such plan exists, ANY OF THEM WILL BE ACCEPTED.", True),
        ("Print any valid sequence of moves.", True),
        ("Output any suitable string.", True),
        ("Find any such permutation.", True),
        ("Any correct answer is accepted.", True),
        ("Any solution will be accepted.", True),
        ("Return any shortest path.", True),
        ("Print the k chosen indices in any order.", True),
        ("You can print\nthe numbers in any order.", True),
        ("Print the largest sum of any subarray.", False),
        ("For any i the value a_i is positive. Print the sum.", False),
        ("Any two adjacent cells share a side. Count the ways.", False),
        ("The roads are given in any order. Print the length.", False),
        ("Print the number of ways, or -1 if there is not any.", False),
        ("If there are multiple answers, print the smallest.", False),
        ("If there are several answers, print the lexicographically least. Any letter may occur.", False),
        ("", False),
    ],
)
def test_a_statement_that_takes_any_answer_is_known(sentence: str, admits: bool) -> None:
    assert admits_multiple_answers(sentence) is admits


@pytest.mark.parametrize(
    ("sentence", "interactive"),
    [
        ("This is an interactive problem.", True),
        ("This problem is interactive.", True),
        ("Interaction Protocol\n\nRead n first.", True),
        ("Note that the easy version is an interactive problem.", True),
        ("The museum has an interactive map.", False),
        ("Two particles interact when they meet.", False),
        ("", False),
    ],
)
def test_a_statement_that_talks_with_a_judge_is_known(sentence: str, interactive: bool) -> None:
    assert is_interactive(sentence) is interactive


@pytest.mark.data
def test_special_judges_of_taco_are_found_by_wording_alone(data_dir: Path) -> None:
    """Of 75 statements with a non-deterministic judge at least 60 are found, of 454 without one at most 6."""
    problems = load_problems("taco", data_dir=data_dir).problems
    found = {
        case: [admits_multiple_answers(problem.statement) for problem in problems if problem.special_judge_case == case]
        for case in (1, None)
    }
    assert (len(found[1]), len(found[None])) == (75, 454)
    assert sum(found[1]) >= 60
    assert sum(found[None]) <= 6
