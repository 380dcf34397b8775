"""What a statement says about its answers and its judge is read off its wording."""

from pathlib import Path

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.flags import admits_multiple_answers, is_interactive

ANY_ANSWER = (
    "If there are multiple answers, print any.",
    "If there are several solutions, you may output any one of them.",
    "If there are many ways to do so, print any of them.",
    "If more than one such plan exists, ANY OF THEM WILL BE ACCEPTED.",
    "Print any valid sequence of moves.",
    "Find any such permutation.",
    "Any correct answer is accepted.",
    "Return any shortest path.",
    "You can print\nthe k chosen indices in any order.",
)
ONE_ANSWER = (
    "",
    "Print the largest sum of any subarray.",
    "For any i the value a_i is positive. Print the sum.",
    "Any two adjacent cells share a side. Count the ways.",
    "The roads are given in any order. Print the length.",
    "Print the number of ways, or -1 if there is not any.",
    "If there are multiple answers, print the smallest.",
    "If there are several answers, print the least. Any letter may occur.",
)
INTERACTIVE = (
    "This is an interactive problem.",
    "This problem is interactive.",
    "Interaction Protocol\n\nRead n first.",
)
NOT_INTERACTIVE = ("", "The museum has an interactive map.", "Two particles interact when they meet.")


@pytest.mark.parametrize("sentence", [*ANY_ANSWER, *ONE_ANSWER])
def test_a_statement_that_takes_any_answer_is_known(sentence: str) -> None:
    assert admits_multiple_answers(sentence) is (sentence in ANY_ANSWER)


@pytest.mark.parametrize("sentence", [*INTERACTIVE, *NOT_INTERACTIVE])
def test_a_statement_that_talks_with_a_judge_is_known(sentence: str) -> None:
    assert is_interactive(sentence) is (sentence in INTERACTIVE)


@pytest.mark.data
def test_special_judges_of_taco_are_found_by_wording_alone(data_dir: Path) -> None:
    """Of 75 statements with a non-deterministic judge at least 60 are found, of 454 without one at most 6."""
    problems = load_problems("taco", data_dir=data_dir).problems
    marked = [admits_multiple_answers(one.statement) for one in problems if one.special_judge_case == 1]
    plain = [admits_multiple_answers(one.statement) for one in problems if one.special_judge_case is None]
    assert (len(marked), len(plain)) == (75, 454)
    assert sum(marked) >= 60
    assert sum(plain) <= 6
