"""Episodes as tensors: what is sampled in one list, what is read padded, and minibatches of whole episodes."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[train]'")

from episodes_by_hand import episode, going_on  # noqa: E402 - beside this room's tests

from turnwise.training.rlef.batches import Batch, minibatches  # noqa: E402 - it needs torch

pytestmark = pytest.mark.xdist_group("torch")

LONG = episode(going_on([1, 2], [3, 4], [5], [6]), [-0.2, 1.0], logprobs=[[-0.1, -0.2], [-0.3]])
SHORT = episode([([7, 8, 9], [10])], [-1.0], logprobs=[[-0.4]])


def test_tokens_are_numbered_in_order_of_dialogue_and_call() -> None:
    """Rewards stand by dialogue and call; each sampled token knows its call and its chance."""
    batch = Batch.of([LONG, SHORT])
    assert torch.equal(batch.rewards, torch.tensor([[-0.2, 1.0], [-1.0, 0.0]]))
    assert batch.has_call.tolist() == [[True, True], [True, False]] == batch.learns.tolist()
    assert batch.calls.tolist() == [0, 0, 1, 2]
    assert torch.equal(batch.behaviour, torch.tensor([-0.1, -0.2, -0.3, -0.4]))


def test_a_part_reads_each_token_where_it_was_chosen_and_each_call_at_its_last_prompt_token() -> None:
    """Rows are padded behind their ends; places are those of the token before."""
    (part,) = Batch.of([SHORT, LONG]).parts([0, 1], tokens_at_a_time=100)
    assert part.ids.tolist() == [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 0, 0]]
    assert part.attention.tolist() == [[1] * 6, [1] * 4 + [0] * 2]
    assert part.places.tolist() == [1, 2, 4, 6 + 2] and part.chosen.tolist() == [3, 4, 6, 10]
    assert part.tokens.tolist() == [1, 2, 3, 0]
    assert part.call_places.tolist() == [1, 4, 6 + 2] and part.calls.tolist() == [2, 3, 0]


def test_calls_of_other_prompts_are_rows_of_their_own_with_the_same_numbers() -> None:
    """A template that left out thinking makes two rows of one dialogue."""
    batch = Batch.of([episode([([1, 2], [3, 4]), ([1, 2, 9], [6])], [-0.2, 1.0])])
    (part,) = batch.parts([0], tokens_at_a_time=100)
    assert part.ids.tolist() == [[1, 2, 3, 4], [1, 2, 9, 6]]
    assert batch.calls.tolist() == [0, 0, 1] and part.tokens.tolist() == [0, 1, 2] and part.calls.tolist() == [0, 1]


@pytest.mark.parametrize(("budget", "shapes"), [(1, [(1, 6), (1, 4), (1, 4)]), (8, [(1, 6), (2, 4)]), (18, [(3, 6)])])
def test_parts_keep_to_the_tokens_at_a_time(budget: int, shapes: list[tuple[int, int]]) -> None:
    """Padding counts; a row that is longer alone goes alone; those of like length go together."""
    parts = Batch.of([SHORT, LONG, SHORT]).parts([0, 1, 2], tokens_at_a_time=budget)
    assert [tuple(part.ids.shape) for part in parts] == shapes
    assert sorted(torch.cat([part.tokens for part in parts]).tolist()) == [0, 1, 2, 3, 4]


def test_no_long_row_makes_others_be_padded_to_twice_their_tokens() -> None:
    """One traceback in a feedback would have each row of a micro-batch be as long as its dialogue."""
    dialogues = [episode([(list(range(1, length)), [10])], [-1.0]) for length in (50, 20, 100, 51)]
    parts = Batch.of(dialogues).parts(range(4), tokens_at_a_time=1000)
    assert [tuple(part.ids.shape) for part in parts] == [(2, 100), (1, 50), (1, 20)]


def test_dialogues_without_a_reward_are_left_out() -> None:
    """What the machine spoiled is in no tensor, nor is a dialogue in which the model said nothing."""
    batch = Batch.of([episode([([1], [2])], None), SHORT, episode([([1], [])], [-1.0])])
    assert batch.rewards.tolist() == [[-1.0]] and len(batch.rows) == 1
    assert Batch.of([]).rewards.shape == (0, 0) and Batch.of([]).calls.dtype == torch.long


def test_what_a_reply_without_tokens_earned_the_one_before_has() -> None:
    """There is no token to learn it of, and the dialogue earned it all the same."""
    batch = Batch.of([episode([([1], [2]), ([9, 9], []), ([3, 3], [4])], [-0.2, -0.3, 1.0])])
    assert torch.allclose(batch.rewards, torch.tensor([[-0.5, 1.0]])) and batch.calls.tolist() == [0, 1]


def test_replies_that_the_token_limit_ended_are_not_learnt_where_that_is_asked() -> None:
    """They stay calls of their dialogue, so that what they earned counts for those before."""
    cut = episode(going_on([1, 2], [3, 4], [5], [6]), [-0.2, -1.0], cut=[1])
    assert Batch.of([cut], mask_cut=True).learns.tolist() == [[True, False]]
    assert Batch.of([cut], mask_cut=True).has_call.tolist() == [[True, True]]
    assert Batch.of([cut]).learns.tolist() == [[True, True]]


def test_minibatches_are_of_whole_episodes_in_an_order_of_seed_and_iteration() -> None:
    """Each dialogue is in one of them; they differ by one at most; the same numbers give the same order."""
    cuts = minibatches(10, count=4, seed=3, iteration=7)
    assert sorted(number for cut in cuts for number in cut) == list(range(10))
    assert sorted(map(len, cuts)) == [2, 2, 3, 3]
    assert cuts == minibatches(10, count=4, seed=3, iteration=7)
    assert cuts != minibatches(10, count=4, seed=3, iteration=8)
    assert cuts != minibatches(10, count=4, seed=4, iteration=7)
    assert [len(cut) for cut in minibatches(1024, count=4, seed=0, iteration=1)] == [256] * 4
    assert [len(cut) for cut in minibatches(1, count=2, seed=0, iteration=1)] == [0, 1]
