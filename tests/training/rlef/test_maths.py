"""The formulas of RLEF against numbers worked out by hand, and against the plain loops that they stand for."""

import math
import random

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[train]'")

from turnwise.training.rlef import maths  # noqa: E402 - it needs torch

pytestmark = pytest.mark.xdist_group("torch")


def rows(*numbers: list[float]) -> "torch.Tensor":
    """Return dialogues of different length as one tensor, 99 where one has ended."""
    longest = max(map(len, numbers))
    return torch.tensor([[*row, *[99.0] * (longest - len(row))] for row in numbers])


def of_length(*lengths: int) -> "torch.Tensor":
    """Return which calls there are."""
    return torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]


def near(result: "torch.Tensor", expected: object, within: float = 1e-6) -> bool:
    """Return whether all numbers are those."""
    return torch.allclose(result, torch.as_tensor(expected, dtype=result.dtype), atol=within, rtol=0)


def test_advantages_of_one_two_and_three_calls_are_those_worked_out_by_hand() -> None:
    """With lambda 1 an advantage is the rewards to go minus the value; dialogues that have ended say nothing."""
    rewards = rows([1.0], [-0.2, 1.0], [-0.2, 0.0, -1.0])
    values = rows([0.25], [0.1, 0.5], [0.1, -0.3, -0.4])
    mask = of_length(1, 2, 3)
    whole = maths.advantages(rewards, values, mask)
    assert near(whole, [[0.75, 0, 0], [0.7, 0.5, 0], [-1.3, -0.7, -0.6]])
    half = maths.advantages(rewards, values, mask, gae_lambda=0.5)
    # -0.2 + 0.5 - 0.1 + 0.5 x 0.5; and from the end: -0.6, -0.4 + 0.3 + 0.5 x -0.6, -0.2 - 0.3 - 0.1 + 0.5 x -0.4
    assert near(half, [[0.75, 0, 0], [0.45, 0.5, 0], [-0.8, -0.4, -0.6]])
    later = maths.advantages(rewards, values, mask, gamma=0.9)
    assert near(later, [[0.75, 0, 0], [0.6, 0.5, 0], [-0.2 - 0.81 - 0.1, -0.9 + 0.3, -0.6]])


def test_advantages_are_sums_of_errors_that_fade() -> None:
    """The recursion gives what arXiv 1506.02438 (16) says, over the steps that are there."""
    draw = random.Random(0)
    lengths = [1, 4, 3, 5]
    rewards, values = (rows(*[[draw.uniform(-1, 1) for _ in range(length)] for length in lengths]) for _ in range(2))
    result = maths.advantages(rewards, values, of_length(*lengths), gamma=0.8, gae_lambda=0.6)
    for row, length in enumerate(lengths):
        after = [*values[row, 1:length].tolist(), 0.0]
        errors = [float(rewards[row, t] + 0.8 * after[t] - values[row, t]) for t in range(length)]
        for t in range(length):
            assert math.isclose(
                float(result[row, t]), sum(0.48**k * error for k, error in enumerate(errors[t:])), abs_tol=1e-5
            )


def test_a_step_that_is_not_there_is_skipped() -> None:
    """The value after a step is that of the next one that is there, and the advantage is carried over."""
    whole = maths.advantages(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.3, 0.6]]), of_length(2), gae_lambda=0.5)
    mask = torch.tensor([[True, False, True]])
    holed = maths.advantages(torch.tensor([[0.0, 9.0, 1.0]]), torch.tensor([[0.3, 9.0, 0.6]]), mask, gae_lambda=0.5)
    assert near(holed[:, [0, 2]], whole) and holed[0, 1] == 0


def test_a_calls_log_ratio_is_the_mean_over_its_tokens() -> None:
    """The ratio of geometric means: long replies are charged no more than short ones; no tokens, no charge."""
    ratios, calls = torch.tensor([0.1, 0.3, -0.5, 1.0, 2.0, 3.0]), torch.tensor([0, 0, 1, 4, 4, 4])
    assert near(maths.call_means(ratios, calls, of=5), [0.2, -0.5, 0.0, 0.0, 2.0])
    assert near(maths.call_sums(ratios, calls, of=5), [0.4, -0.5, 0.0, 0.0, 6.0])


def test_the_numbers_of_the_prototype_for_an_engine_are_the_same() -> None:
    """Two dialogues of two calls: rewards with the log-ratio, returns and whitened advantages (adapter_skyrl.py)."""
    calls = torch.tensor([0, 0, 1, 1, 1, 2, 2, 3])
    charged = rows([-0.2, 1.0]) - 0.05 * maths.call_means(torch.full((5,), 0.4), calls[:5], of=2).view(1, 2)
    assert near(charged, [[-0.22, 0.98]])
    rewards, values = rows([-0.2, 1.0], [0.0, -1.0]), rows([0.1, 0.5], [0.0, -0.4])
    result = maths.advantages(rewards, values, of_length(2, 2))
    assert near(result, [[0.7, 0.5], [-1.0, -0.6]]) and near(result + values, [[0.8, 1.0], [-1.0, -1.0]])
    # Their mean is -0.1, their variance (0.64 + 0.36 + 0.81 + 0.25) / 3.
    white = torch.tensor([0.8, 0.6, -0.9, -0.5]) / (2.06 / 3) ** 0.5
    assert near(maths.whitened(result.flatten()), white, within=1e-5)


def test_all_calls_are_whitened_together_whatever_turn_they_are_of() -> None:
    """Two turns whose advantages differ by turn alone keep the difference, which whitening by turn would take away."""
    result = maths.whitened(torch.tensor([1.0, 3.0, 1.0, 3.0]))
    assert near(result, [-0.8660, 0.8660, -0.8660, 0.8660], within=1e-4)
    assert near(result.std(), 1.0, within=1e-5)


@pytest.mark.parametrize("numbers", [[], [0.7], [0.1] * 7])
def test_alike_advantages_are_zero_and_never_no_number(numbers: list[float]) -> None:
    """One call, or calls that all earned the same, teach nothing."""
    assert near(maths.whitened(torch.tensor(numbers)), [0.0] * len(numbers))


def test_processes_whiten_by_the_sums_of_all() -> None:
    """Each process has the numbers that one with all calls has."""
    numbers = torch.tensor([0.3, -1.2, 2.0, 0.9, -0.4])
    mine, others = numbers[:2], numbers[2:].double()
    sums = iter([torch.tensor([3.0, 2.5]), ((others - numbers.double().mean()) ** 2).sum()[None]])
    result = maths.whitened(mine, total=lambda own: own + next(sums))
    assert near(result, maths.whitened(numbers)[:2])


def test_the_policys_loss_is_clipped_on_the_side_that_it_gains_on() -> None:
    """Ratios 1.5 and 0.5 under advantages 1 and -1: two are clipped, and have no gradient."""
    old = torch.full((4,), -1.0)
    new = (old + torch.tensor([1.5, 0.5, 1.5, 0.5]).log()).requires_grad_()
    advantages = torch.tensor([1.0, 1.0, -1.0, -1.0])
    losses = maths.policy_losses(new, old, old, advantages, clip=0.2)
    assert near(losses, [-1.2, -0.5, 1.5, 0.8])
    losses.sum().backward()
    assert near(new.grad, [0.0, -0.5, 1.5, 0.0])
    assert maths.is_clipped(new, old, advantages, clip=0.2).tolist() == [True, False, False, True]


def test_what_the_sampler_found_less_likely_weighs_less_and_never_more() -> None:
    """The weight is min(pi_old / pi_behaviour, 1), and nothing is learnt through it."""
    new = torch.full((2,), -1.0, requires_grad=True)
    old = torch.full((2,), -1.0)
    behaviour = (old - torch.tensor([0.5, 2.0]).log()).requires_grad_()
    losses = maths.policy_losses(new, old, behaviour, torch.ones(2), clip=0.2)
    assert near(losses, [-0.5, -1.0])
    losses.sum().backward()
    assert near(new.grad, [-0.5, -1.0]) and behaviour.grad is None
    through = old.clone().requires_grad_()
    assert not maths.behaviour_weights(through, behaviour).requires_grad


def test_the_values_loss_takes_the_larger_error() -> None:
    """A value that left its old one by more than 0.2 towards the return learns no more; another has to return."""
    old, returns = torch.zeros(3), torch.ones(3)
    new = torch.tensor([0.5, -0.5, 0.1], requires_grad=True)
    losses = maths.value_losses(new, old, returns, clip=0.2)
    assert near(losses, [0.5 * 0.64, 0.5 * 2.25, 0.5 * 0.81])
    losses.sum().backward()
    assert near(new.grad, [0.0, -1.5, -0.9])


def test_values_of_tokens_skip_what_the_model_has_not_said() -> None:
    """A call of two tokens and one of one: what follows the second is the value before the third."""
    rewards, calls = torch.tensor([[-0.2, 1.0], [1.0, 0.0]]), torch.tensor([0, 0, 1, 2])
    values = torch.tensor([0.1, 0.3, 0.5, 0.25])
    assert near(maths.token_advantages(rewards, values, calls), [0.7, 0.5, 0.5, 0.75])
    # 0.3 - 0.1; -0.2 + 0.5 - 0.3; 1 - 0.5
    assert near(maths.token_advantages(rewards, values, calls, gae_lambda=0.0), [0.2, 0.0, 0.5, 0.75])
    assert near(maths.token_advantages(rewards, values, calls, gae_lambda=0.5), [0.2 + 0.125, 0.25, 0.5, 0.75])
    nothing = torch.zeros(0)
    assert len(maths.token_advantages(torch.zeros(0, 0), nothing, nothing.long())) == 0
