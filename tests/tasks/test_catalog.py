"""Tasks by name and glob."""

import re

import pytest

from turnwise.errors import TurnwiseError
from turnwise.tasks.catalog import TASKS, find_tasks


def test_the_tasks_that_users_type_exist() -> None:
    """Multi-turn tasks ask three turns, each has a single-turn twin."""
    for stem in ("codecontests", "codecontests_valid", "taco_very_hard", "humaneval_plus", "mbpp_plus", "sample_taco"):
        assert (TASKS[f"{stem}_multiturn"].max_turns, TASKS[f"{stem}_singleturn"].max_turns) == (3, 1)
    assert TASKS["taco_medium_hard_multiturn"].difficulty == "MEDIUM_HARD"
    assert TASKS["codecontests_valid_multiturn"].split == "valid"


def test_globs_and_lists_select_once_in_catalogue_order() -> None:
    """A task named twice is run once."""
    names = [task.name for task in find_tasks("mbpp_plus_multiturn, *_plus_multiturn,")]
    assert names == [
        "humaneval_plus_multiturn",
        "mbpp_plus_multiturn",
        "sample_humaneval_plus_multiturn",
        "sample_mbpp_plus_multiturn",
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            "codecontests_multitrn",
            "Unknown task 'codecontests_multitrn': do you mean codecontests_multiturn or ",
        ),
        ("taco_*_multiturn,nothing*", "Unknown task 'nothing*': turnwise tasks lists those there are."),
        ("", "No task given: turnwise tasks lists those there are."),
        (" , ", "No task given: turnwise tasks lists those there are."),
    ],
)
def test_a_name_that_selects_nothing_is_an_error(names: str, message: str) -> None:
    """The names nearest to it are offered, not a screen of all."""
    with pytest.raises(TurnwiseError, match=f"^{re.escape(message)}"):
        find_tasks(names)
