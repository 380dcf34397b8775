"""RLEF's numbers on the tensors that engines pass: [rows, tokens], with a mask of what the model sampled.

    turns = turns_of(mask)                                   where each reply lies
    rewards = into_rewards(rewards, log_ratios, turns)       beta x the mean log-ratio of a reply, charged once
    learnt = advantages_of(rewards, values, turns)           GAE over replies, whitened over all of them

An engine knows tokens alone, so that a reply is told by the mask: it is a run of sampled tokens. The unit of reward,
value and advantage is that reply, as in training/rlef/maths.py, whose formulas these are. Two replies without a token
of the environment between them would be one: ours always have the chat template's between them. A row whose mask is 0
everywhere (a dialogue that the machine spoiled, or padding) has no reply, and counts nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from turnwise.errors import InfrastructureError


@dataclass(frozen=True, slots=True)
class Turns:
    """The replies of a batch, ``count`` at most in a row: tensors, all [rows, tokens].

    ``numbers`` (long) are those of the replies that sampled the tokens, -1 outside; ``latest`` (long) of the reply that
    began last, also for what is read after it, -1 before the first. ``is_first`` and ``is_last`` (bool) are of a
    reply's tokens.
    """

    numbers: Any
    latest: Any
    is_first: Any
    is_last: Any
    count: int


@dataclass(frozen=True, slots=True)
class Learnt:
    """What updates learn: ``advantages`` and ``returns`` [rows, tokens], alike at all tokens of a reply, 0 outside.

    ``value_mask`` [rows, tokens] is 1 where a value is learnt: at the first token of each reply, whose value is that of
    what the model had read then.
    """

    advantages: Any
    returns: Any
    value_mask: Any


def turns_of(mask: Any) -> Turns:
    """Return the replies of a ``mask`` [rows, tokens] that is above 0 where the model sampled."""
    import torch

    is_sampled = mask > 0
    before = torch.nn.functional.pad(is_sampled, (1, 0))[:, :-1]
    after = torch.nn.functional.pad(is_sampled, (0, 1))[:, 1:]
    is_first = is_sampled & ~before
    latest = is_first.long().cumsum(1) - 1
    count = int(latest.max()) + 1 if latest.numel() else 0
    return Turns(torch.where(is_sampled, latest, -1), latest, is_first, is_sampled & ~after, count)


def into_rewards(rewards: Any, log_ratios: Any, turns: Turns, *, beta: float) -> Any:
    """Return ``rewards`` less ``beta`` times the mean log-ratio of each reply, on its last token (section 2.2 of R).

    All are [rows, tokens]; ``log_ratios`` are log-probabilities of the policy less those of the reference. An engine's
    own penalty is the sum over tokens, which grows with a reply's length.
    """
    import torch

    lengths = _sums(torch.ones_like(log_ratios), turns.numbers, turns.count).clamp(min=1)
    means = _sums(log_ratios, turns.numbers, turns.count) / lengths
    return rewards - beta * torch.where(turns.is_last, _spread(means, turns), 0.0)


def advantages_of(
    rewards: Any, values: Any | None, turns: Turns, *, gamma: float = 1.0, gae_lambda: float = 1.0
) -> Learnt:
    """Return what is learnt of ``rewards`` and ``values``, both [rows, tokens]; without values, of rewards to go.

    A reward counts for the reply that began last, wherever it stands after its beginning: some engines put it on an end
    token that they added themselves and do not learn. ``values`` are those of what is before each token.
    """
    import torch

    from turnwise.training.rlef.maths import advantages, whitened

    earned = _sums(rewards, turns.latest, turns.count)
    is_there = _sums(turns.is_first.to(rewards.dtype), turns.numbers, turns.count) > 0
    if values is None:
        known = torch.zeros_like(earned)
    else:
        known = _sums(torch.where(turns.is_first, values, 0.0), turns.numbers, turns.count).to(earned.dtype)
    raw = advantages(earned, known, is_there, gamma=gamma, gae_lambda=gae_lambda)
    white = torch.zeros_like(raw)
    white[is_there] = whitened(raw[is_there])
    return Learnt(_spread(white, turns), _spread(raw + known, turns), turns.is_first.to(rewards.dtype))


def check_spoiled(turns: Turns, is_dialogue: Sequence[bool], *, most: float) -> int:
    """Return how many dialogues have no reply, of the rows that are one; InfrastructureError for a share over ``most``.

    Those are what the machine spoiled: a training on what is left would learn what the machine likes.
    """
    has_reply = turns.is_first.any(dim=1).tolist()
    spoiled = sum(counts and not has for counts, has in zip(is_dialogue, has_reply, strict=True))
    if spoiled > most * sum(is_dialogue):
        raise InfrastructureError(
            f"The machine spoiled {spoiled} of the {sum(is_dialogue)} dialogues of an iteration, more than {most:.0%}: "
            "look at the judge's machine with turnwise doctor, and go on from the last checkpoint."
        )
    return spoiled


def _sums(numbers: Any, turns: Any, count: int) -> Any:
    """Return the sum of ``numbers`` over the tokens of each reply: [rows, count]."""
    import torch

    sums = torch.zeros((len(numbers), count + 1), dtype=numbers.dtype, device=numbers.device)
    return sums.scatter_add_(1, torch.where(turns < 0, count, turns), torch.where(turns < 0, 0.0, numbers))[:, :count]


def _spread(numbers: Any, turns: Turns) -> Any:
    """Return a number of each reply at all of its tokens, 0 outside: [rows, tokens] of [rows, count]."""
    import torch

    if not turns.count:
        return numbers.new_zeros(turns.numbers.shape)
    return torch.where(turns.numbers < 0, 0.0, numbers.gather(1, turns.numbers.clamp(min=0)))
