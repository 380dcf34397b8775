"""pass n@k by name: what can be asked, how many dialogues it draws, what the samples must support."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnwise.errors import TurnwiseError
from turnwise.records.metrics import NAtK, check_support, parse_n_at_k


@given(st.integers(1, 999_999), st.integers(1, 999_999))
def test_a_name_reads_back(n: int, k: int) -> None:
    """What is printed is what is asked."""
    assert parse_n_at_k(f" {NAtK(n, k)} ") == NAtK(n, k)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "@",
        "1@",
        "@3",
        "0@3",
        "1@0",
        "01@3",
        "-1@3",
        "1.0@3",
        "1 @ 3",
        "1@3@5",
        "pass@1",
        "1@1234567",
        "1@3\n1",
    ],
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    """The text and the right form stand in the error."""
    with pytest.raises(TurnwiseError) as caught:
        parse_n_at_k(text)
    assert str(caught.value) == f"n_at_k {text!r} is not written n@k, such as 1@3 or 10@100."


@pytest.mark.parametrize(
    ("metric", "turns", "budget", "dialogues"),
    [
        ("1@3", 3, 3, 1),
        ("10@100", 3, 3, 33),
        ("10@100", 1, 1, 100),
        ("100@300", 3, 3, 100),
        ("1@2", 3, 2, 1),
        ("1@1", 3, 1, 1),
        ("5@29", 10, 10, 2),
    ],
)
def test_k_counts_replies_not_dialogues(metric: str, turns: int, budget: int, dialogues: int) -> None:
    """k // turns dialogues; fewer replies than turns are one shorter dialogue."""
    asked = parse_n_at_k(metric)
    assert (asked.budget(turns), asked.dialogues(turns=turns)) == (budget, dialogues)


@given(st.integers(1, 8), st.integers(1, 40), st.integers(1, 8), st.integers(1, 12))
def test_what_is_supported_is_what_can_be_drawn_and_submitted(n: int, k: int, turns: int, samples: int) -> None:
    """At least as many samples as dialogues drawn, at least as many of these as submissions."""
    metric = NAtK(n, k)
    drawn = 1 if k < turns else k // turns
    if n <= drawn <= samples:
        assert check_support(metric, samples=samples, turns=turns) is metric
    else:
        with pytest.raises(TurnwiseError):
            check_support(metric, samples=samples, turns=turns)


def test_too_few_samples_are_an_error_with_all_numbers() -> None:
    """Drawn, turns, samples there are and samples there should be."""
    with pytest.raises(TurnwiseError) as caught:
        check_support(NAtK(10, 100), samples=20, turns=3)
    assert str(caught.value) == (
        "n_at_k 10@100 draws 33 dialogues of 3 turns per problem, but samples_per_problem is 20: "
        "give at least 33, or another n_at_k."
    )


def test_too_many_submissions_are_an_error_with_all_numbers() -> None:
    """Submissions, dialogues, replies, turns."""
    with pytest.raises(TurnwiseError) as caught:
        check_support(NAtK(4, 10), samples=200, turns=3)
    assert str(caught.value) == (
        "n_at_k 4@10 submits 4 of the 3 dialogues that 10 replies of 3 turns make: "
        "give n of at most 3, or more replies."
    )
