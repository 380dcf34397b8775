"""RLEF's numbers on engines' tensors, against ones worked by hand."""

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[train]'")

from turnwise.errors import InfrastructureError  # noqa: E402 - needs what is skipped for above
from turnwise.training.engines.turn_level import advantages_of, check_spoiled, into_rewards, turns_of  # noqa: E402


def rows(*numbers: list[float]) -> Any:
    """Return a tensor [rows, tokens]."""
    return torch.tensor([*numbers])


# Two dialogues of two replies: of 2 and 3 tokens around 2 of feedback; of 2 and 1 tokens after 3 of padding.
MASK = rows([1, 1, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0, 1])
REWARDS = rows([0, -0.2, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, -1])
# 9 where no reply begins: those values are of no state that counts.
VALUES = rows([0.1, 9, 9, 9, 0.5, 9, 9], [9, 9, 9, 0, 9, 9, -0.4])


def test_replies_are_runs_of_sampled_tokens() -> None:
    """Each run has a number, a first token and a last one; what is read after it belongs to it for rewards alone."""
    turns = turns_of(MASK)
    assert turns.numbers.tolist() == [[0, 0, -1, -1, 1, 1, 1], [-1, -1, -1, 0, 0, -1, 1]]
    assert turns.latest.tolist() == [[0, 0, 0, 0, 1, 1, 1], [-1, -1, -1, 0, 0, 0, 1]]
    assert turns.is_first.int().tolist() == [[1, 0, 0, 0, 1, 0, 0], [0, 0, 0, 1, 0, 0, 1]]
    assert turns.is_last.int().tolist() == [[0, 1, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0, 1]]
    assert turns.count == 2


def test_two_replies_without_a_token_between_them_are_one() -> None:
    """The mask alone cannot part them: an engine has to put the chat template's tokens between replies."""
    assert turns_of(rows([1, 1, 1])).count == 1


def test_the_kl_of_a_reply_is_its_mean_log_ratio_charged_once() -> None:
    """Twice the tokens of equal log-ratios cost the same; what is not sampled costs nothing."""
    ratios = rows([0.4, 0.4, 50, 50, 0.2, 0.4, 0.6], [50, 50, 50, -0.4, 0, 50, 1])
    rewards = into_rewards(REWARDS, ratios, turns_of(MASK), beta=0.05)
    expected = rows([0, -0.22, 0, 0, 0, 0, 0.98], [0, 0, 0, 0, 0.01, 0, -1.05])
    torch.testing.assert_close(rewards, expected)


def test_advantages_and_returns_are_those_of_replies() -> None:
    """Returns are sums of later rewards; advantages are whitened over the four replies, not over eight tokens."""
    learnt = advantages_of(REWARDS, VALUES, turns_of(MASK))
    torch.testing.assert_close(learnt.returns, rows([0.8, 0.8, 0, 0, 1, 1, 1], [0, 0, 0, -1, -1, 0, -1]))
    raw = torch.tensor([0.8 - 0.1, 1 - 0.5, -1 - 0, -1 + 0.4])
    white = (raw - raw.mean()) / raw.std()
    assert white.tolist() == pytest.approx([0.96542, 0.72406, -1.0861, -0.60339], abs=1e-5)
    first, second, third, fourth = white.tolist()
    expected = rows([first, first, 0, 0, second, second, second], [0, 0, 0, third, third, 0, fourth])
    torch.testing.assert_close(learnt.advantages, expected, atol=1e-5, rtol=0)
    assert learnt.value_mask.tolist() == [[1, 0, 0, 0, 1, 0, 0], [0, 0, 0, 1, 0, 0, 1]]


def test_gamma_and_lambda_count_replies() -> None:
    """By hand: d1 = -1 + .4 = -.6 and d0 = 0 + .5 x -.4 - 0 = -.2, so that A0 = -.2 + .5 x .5 x -.6 = -.35."""
    learnt = advantages_of(REWARDS[1:], VALUES[1:], turns_of(MASK[1:]), gamma=0.5, gae_lambda=0.5)
    torch.testing.assert_close(learnt.returns, rows([0, 0, 0, -0.35, -0.35, 0, -1.0]))


def test_without_values_rewards_to_go_are_whitened() -> None:
    """As --value none has it: 0.8, 1, -1, -1."""
    learnt = advantages_of(REWARDS, None, turns_of(MASK))
    raw = torch.tensor([0.8, 1, -1, -1])
    white = (raw - raw.mean()) / raw.std()
    found = [learnt.advantages[0, 0], learnt.advantages[0, 6], learnt.advantages[1, 3], learnt.advantages[1, 6]]
    assert [number.item() for number in found] == pytest.approx(white.tolist(), abs=1e-5)


def test_a_row_without_a_reply_counts_nowhere() -> None:
    """Spoiled rows and padding, whatever stands in them, change no other number and have none."""
    turns = turns_of(torch.cat([MASK, rows([0.0] * 7)]))
    junk = rows([7.0] * 7)
    learnt = advantages_of(torch.cat([REWARDS, junk]), torch.cat([VALUES, junk]), turns)
    alone = advantages_of(REWARDS, VALUES, turns_of(MASK))
    assert torch.equal(learnt.advantages[:2], alone.advantages) and torch.equal(learnt.returns[:2], alone.returns)
    assert not learnt.advantages[2].any() and not learnt.returns[2].any() and not learnt.value_mask[2].any()
    spent = into_rewards(torch.cat([REWARDS, junk]), torch.ones(3, 7), turns, beta=0.05)
    assert torch.equal(spent[2:], junk)


def test_a_batch_of_no_replies_has_numbers_of_zeros() -> None:
    """Where the machine spoiled all, nothing is learnt, and nothing is not a number."""
    turns = turns_of(torch.zeros(2, 3))
    learnt = advantages_of(torch.ones(2, 3), torch.ones(2, 3), turns)
    assert not learnt.advantages.any() and not learnt.returns.any()
    assert torch.equal(into_rewards(torch.ones(2, 3), torch.ones(2, 3), turns, beta=1.0), torch.ones(2, 3))


def test_rows_of_one_and_of_three_replies_go_together() -> None:
    """The shorter dialogue has no third reply, and whitening is over four."""
    mask = rows([1, 0, 1, 0, 1], [1, 1, 0, 0, 0])
    rewards = rows([0, 0, -0.2, 0, 1], [0, -1, 0, 0, 0])
    learnt = advantages_of(rewards, torch.zeros(2, 5), turns_of(mask))
    torch.testing.assert_close(learnt.returns, rows([0.8, 0, 0.8, 0, 1], [-1, -1, 0, 0, 0]))
    replies = learnt.advantages[turns_of(mask).is_first]
    assert replies.mean().item() == pytest.approx(0, abs=1e-6) and replies.std().item() == pytest.approx(1, abs=1e-4)


def test_a_reward_on_a_token_after_the_reply_counts_for_it() -> None:
    """SkyRL puts it on an end token that it added, and does not learn."""
    mask = rows([1, 1, 0, 0, 1, 0])
    learnt = advantages_of(rows([0, 0, -0.2, 0, 0, 1]), torch.zeros(1, 6), turns_of(mask))
    torch.testing.assert_close(learnt.returns, rows([0.8, 0.8, 0, 0, 1, 0]))


def test_numbers_of_half_precision_masks_and_whole_masks_are_alike() -> None:
    """Engines pass masks of integers, of floats, of truth values."""
    kinds = [
        advantages_of(REWARDS, VALUES, turns_of(MASK.to(kind))) for kind in (torch.long, torch.float16, torch.bool)
    ]
    assert all(torch.equal(kinds[0].advantages, other.advantages) for other in kinds)


def test_too_many_spoiled_dialogues_stop_a_training() -> None:
    """One of twenty may be; padding is no dialogue."""
    turns = turns_of(torch.cat([torch.ones(19, 2), torch.zeros(3, 2)]))
    assert check_spoiled(turns, [True] * 20 + [False] * 2, most=0.05) == 1
    with pytest.raises(InfrastructureError, match="spoiled 3 of the 22 dialogues of an iteration, more than 5%"):
        check_spoiled(turns, [True] * 22, most=0.05)
