"""The formulas of RLEF as pure functions of tensors (arXiv 2410.02089, 2.2 and appendix A).

    R_t = r_t - beta * mean log-ratio of call t      call_means
    A_t = -V(c_t) + R_t + R_t+1 + ...                advantages (GAE, gamma = lambda = 1), whitened over all calls
    one policy loss a token, one value a call        policy_losses, value_losses

Shapes: D dialogues, C calls of the longest, T tokens of the longest, N sampled tokens. Tokens are flat and in order:
what a model read but did not say is in none of these tensors. A call's number is dialogue x C + its place; losses are
returned a token or a call, for whoever knows of how many to take the mean. Does not know of models, files or processes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from turnwise.training.rlef.memory import LOGITS_AT_A_TIME

SumOverProcesses = Callable[[torch.Tensor], torch.Tensor]
_SMALLEST_DEVIATION = 1e-6


def alone(total: torch.Tensor) -> torch.Tensor:
    """Return a sum over the processes where there is one."""
    return total


def call_sums(numbers: torch.Tensor, calls: torch.Tensor, *, of: int) -> torch.Tensor:
    """Return the sum over each call's tokens: [of], from ``numbers`` [N] and the tokens' calls, long[N]."""
    return torch.zeros(of, dtype=numbers.dtype, device=numbers.device).index_add_(0, calls, numbers)


def call_means(numbers: torch.Tensor, calls: torch.Tensor, *, of: int) -> torch.Tensor:
    """Return the mean over each call's tokens, [of]; 0 for a call without tokens.

    Of log-ratios it is the logarithm of the ratio of geometric means (section 2.2).
    """
    return call_sums(numbers, calls, of=of) / call_sums(torch.ones_like(numbers), calls, of=of).clamp(min=1)


def advantages(
    rewards: torch.Tensor, values: torch.Tensor, mask: torch.Tensor, *, gamma: float = 1.0, gae_lambda: float = 1.0
) -> torch.Tensor:
    """Return GAE over the steps of each dialogue (arXiv 1506.02438, 16), 0 outside ``mask``; all are [D, steps].

    A step is a call, or a token. One that ``mask`` leaves out is skipped: the next value is that of the next step that
    is there. Returns, which values learn, are advantages + values.
    """
    gae = torch.zeros_like(rewards)
    later = following = rewards.new_zeros(len(rewards))
    for step in reversed(range(rewards.shape[1])):
        is_there = mask[:, step]
        now = rewards[:, step] + gamma * (following + gae_lambda * later) - values[:, step]
        later = torch.where(is_there, now, later)
        following = torch.where(is_there, values[:, step], following)
        gae[:, step] = torch.where(is_there, now, 0.0)
    return gae


def token_advantages(
    rewards: torch.Tensor,
    values: torch.Tensor,
    calls: torch.Tensor,
    *,
    gamma: float = 1.0,
    gae_lambda: float = 1.0,
) -> torch.Tensor:
    """Return GAE over the sampled tokens of each dialogue, [N]: the paper's ablation (4.3).

    ``rewards`` are those of calls, [D, C], and stand on a call's last token; ``values`` [N] are of what is before each
    token; ``calls`` long[N] rises. What follows a call's last token is the value before the next call's first one.
    """
    dialogues = calls.div(rewards.shape[1], rounding_mode="floor")
    lengths = torch.bincount(dialogues, minlength=len(rewards))
    places = torch.arange(len(calls), device=calls.device) - (lengths.cumsum(0) - lengths)[dialogues]
    is_last = torch.ones_like(calls, dtype=torch.bool)
    is_last[:-1] = calls[1:] != calls[:-1]

    def by_dialogue(numbers: torch.Tensor) -> torch.Tensor:
        padded = numbers.new_zeros((len(rewards), int(lengths.max()) if len(calls) else 0))
        return padded.index_put_((dialogues, places), numbers)

    earned = torch.where(is_last, rewards.flatten()[calls], 0.0)
    gae = advantages(
        by_dialogue(earned),
        by_dialogue(values),
        by_dialogue(torch.ones_like(is_last)),
        gamma=gamma,
        gae_lambda=gae_lambda,
    )
    return gae[dialogues, places]


@dataclass(frozen=True, slots=True)
class Moments:
    """How many numbers there are in all processes, their mean, and their standard deviation (of count - 1)."""

    count: int
    mean: float
    deviation: float


def moments(numbers: torch.Tensor, *, total: SumOverProcesses = alone) -> Moments:
    """Return the moments of ``numbers`` [n] of this process and of the others; of none or a single number 0."""
    exact = numbers.double()
    count, added = total(torch.stack([exact.new_tensor(len(exact)), exact.sum()])).tolist()
    mean = added / max(1, count)
    squares = float(total(((exact - mean) ** 2).sum()[None])[0])
    return Moments(int(count), mean, (squares / max(1, count - 1)) ** 0.5)


def whitened(numbers: torch.Tensor, *, total: SumOverProcesses = alone) -> torch.Tensor:
    """Return ``numbers`` [n] with mean 0 and deviation 1 over those of all processes; 0 where they are all alike.

    All calls (or tokens) of a batch are whitened together, whatever turn they are of.
    """
    spread = moments(numbers, total=total)
    return ((numbers.double() - spread.mean) / (spread.deviation + _SMALLEST_DEVIATION)).to(numbers.dtype)


def policy_losses(
    new: torch.Tensor, old: torch.Tensor, behaviour: torch.Tensor, token_advantages: torch.Tensor, *, clip: float
) -> torch.Tensor:
    """Return the clipped loss of each token, [N], times its weight (appendix A).

    All are [N]: log-probabilities now, before the iteration's updates, and when they were sampled.
    """
    ratio = torch.exp(new - old)
    surrogate = torch.min(ratio * token_advantages, ratio.clamp(1 - clip, 1 + clip) * token_advantages)
    return -behaviour_weights(old, behaviour) * surrogate


def behaviour_weights(old: torch.Tensor, behaviour: torch.Tensor) -> torch.Tensor:
    """Return min(pi_old / pi_behaviour, 1) of each token, [N], without a gradient (appendix A)."""
    return torch.exp((old - behaviour).clamp(max=0.0)).detach()


def is_clipped(new: torch.Tensor, old: torch.Tensor, token_advantages: torch.Tensor, *, clip: float) -> torch.Tensor:
    """Return for which tokens, bool[N], clipping leaves no gradient."""
    ratio = torch.exp(new - old)
    return torch.where(token_advantages >= 0, ratio > 1 + clip, ratio < 1 - clip)


def value_losses(new: torch.Tensor, old: torch.Tensor, returns: torch.Tensor, *, clip: float) -> torch.Tensor:
    """Return half the larger squared error of the value and of the value within ``clip`` of the old one; all [n]."""
    near = old + (new - old).clamp(-clip, clip)
    return 0.5 * torch.max((new - returns) ** 2, (near - returns) ** 2)


def log_probabilities(logits: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """Return the log-probability, float32[N], of each ``chosen`` token, long[N], under ``logits`` [N, vocabulary].

    Where logits are not float32, or many, they are made so in parts, which are computed again for the gradient.
    """
    from torch.utils.checkpoint import checkpoint

    parts = _parts(logits)
    if len(parts) == 1:
        return _chosen(logits, chosen)
    return torch.cat(
        [
            checkpoint(_chosen, part, tokens, use_reentrant=False, preserve_rng_state=False)
            if part.requires_grad
            else _chosen(part, tokens)
            for part, tokens in zip(parts, chosen.split(len(parts[0])), strict=True)
        ]
    )


def entropies(logits: torch.Tensor) -> torch.Tensor:
    """Return the entropy in nats of each row of ``logits`` [N, vocabulary]: float32[N]."""
    return torch.cat([_entropy(part) for part in _parts(logits)])


def _parts(logits: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return tuple(logits.split(max(1, LOGITS_AT_A_TIME // logits.shape[1])))


def _chosen(logits: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    return torch.log_softmax(logits.float(), dim=-1).gather(1, chosen[:, None]).squeeze(1)


def _entropy(logits: torch.Tensor) -> torch.Tensor:
    logs = torch.log_softmax(logits.float(), dim=-1)
    return -(logs.exp() * logs).sum(dim=-1)
