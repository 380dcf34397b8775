"""The updates of an iteration: log-probabilities and values as they are, rewards, advantages, and steps of AdamW.

    updater = Updater(networks, settings, device="cpu")
    figures = updater.update(episodes, iteration=1)

Each of several processes calls it with episodes of its own: sums, and gradients, are those of all, so that every one
of them makes the same weights. A minibatch's losses are means over its tokens and its calls in all processes, however
it is cut into micro-batches. Does not sample, judge or save.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from turnwise.errors import TurnwiseError
from turnwise.records.choices import ValueLevel
from turnwise.records.rlef import RlefSettings, UpdateFigures
from turnwise.training.episodes import Episode
from turnwise.training.rlef import maths
from turnwise.training.rlef.batches import Batch, Part, minibatches
from turnwise.training.rlef.memory import GRADIENTS_AT_A_TIME
from turnwise.training.rlef.networks import Networks


@dataclass(frozen=True, slots=True)
class _Policy:
    """What the policy learns from: all are [N] of the sampled tokens."""

    old: torch.Tensor
    behaviour: torch.Tensor
    advantages: torch.Tensor
    learns: torch.Tensor


@dataclass(frozen=True, slots=True)
class _Values:
    """What the critic learns from: all are [N] of the sampled tokens, or [D x C] of the calls."""

    old: torch.Tensor
    returns: torch.Tensor
    learns: torch.Tensor


@dataclass(frozen=True, slots=True)
class _Step:
    """What one update showed, over all processes."""

    policy_loss: float
    value_loss: float
    clipped: float
    norms: Mapping[str, float]


class Updater:
    """Makes the updates of ``networks``; ``is_distributed``: torch.distributed has a group, and all of it calls."""

    def __init__(
        self, networks: Networks, settings: RlefSettings, *, device: str, is_distributed: bool = False
    ) -> None:
        self._networks, self._settings, self._device = networks, settings, device
        self._is_distributed = is_distributed
        self._total = _total if is_distributed else maths.alone
        self._updates = 0
        self._optimizers = {
            name: torch.optim.AdamW(
                parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
            )
            for name, parameters in networks.parameters().items()
        }

    @property
    def updates(self) -> int:
        """How many updates have been made, in all iterations."""
        return self._updates

    def update(self, episodes: Sequence[Episode], *, iteration: int) -> UpdateFigures:
        """Make the updates of an iteration and return what they showed.

        Episodes without rewards are left out. Raises TurnwiseError where none is left in any process, and where a loss
        or a gradient is no number, before weights are changed by it.
        """
        settings = self._settings
        batch = Batch.of(episodes, mask_cut=settings.mask_cut)
        dialogues = int(self._total(torch.tensor([len(batch.rewards)], device=self._device)))
        if not dialogues:
            raise TurnwiseError(f"No dialogue of iteration {iteration} can be learnt: {self._remedy(episodes)}.")
        policy, values, known = self._look(batch, dialogues, iteration)
        cuts = minibatches(len(batch.rewards), count=settings.minibatches, seed=settings.seed, iteration=iteration)
        parts = [batch.parts(chosen, tokens_at_a_time=settings.tokens_at_a_time) for chosen in cuts]
        counts = self._total(torch.tensor([self._learnt(each, policy, values) for each in parts], device=self._device))
        steps = [
            self._step(each, policy, values, tokens=tokens, units=units, iteration=iteration)
            for each, (tokens, units) in zip(parts, counts.tolist(), strict=True)
            if tokens
        ]

        def mean(numbers: list[float]) -> float:
            return sum(numbers) / len(numbers) if numbers else 0.0

        if torch.device(self._device).type == "cuda":
            torch.cuda.empty_cache()  # an engine beside the networks is to have what is free
        norms = {name: mean([step.norms[name] for step in steps]) for name in self._optimizers}
        return UpdateFigures(
            updates=len(steps),
            learning_rate=self._rate(self._updates),
            policy_loss=mean([step.policy_loss for step in steps]),
            value_loss=None if values is None else mean([step.value_loss for step in steps]),
            clipped=sum(step.clipped for step in steps) / max(1, sum(tokens for tokens, _ in counts.tolist())),
            gradient_norm=norms["policy"],
            value_gradient_norm=norms.get("critic"),
            **known,
        )

    def state(self) -> dict[str, Any]:
        """Return what the next update needs besides the weights: the optimizers, and how many updates were made.

        It is not copied. torch.save writes it, and torch.load reads it with weights_only.
        """
        return {
            "updates": self._updates,
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self._optimizers.items()},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from it; raises ValueError for the state of other networks."""
        if state["optimizers"].keys() != self._optimizers.keys():
            raise ValueError("the state is of other networks")
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self._updates = int(state["updates"])

    def _remedy(self, episodes: Sequence[Episode]) -> str:
        """Return what to do where none of the episodes can be learnt."""
        if any(episode.is_spoiled for episode in episodes):
            return "none has a reward; see in the folder rollouts what spoiled them"
        if any(episode.calls for episode in episodes):
            return "the model says nothing; name one that follows instructions"
        return (
            f"no prompt leaves room for a reply in {self._settings.max_length:,} tokens; give a larger --max-length, "
            "or problems with shorter statements"
        )

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _look(
        self, batch: Batch, dialogues: int, iteration: int
    ) -> tuple[_Policy, _Values | None, dict[str, float | None]]:
        """Return what policy and critic learn from, and the figures of that; ``dialogues`` are those of all."""
        settings, device, total = self._settings, self._device, self._total
        calls = batch.calls.to(device)
        behaviour = batch.behaviour.to(device)
        old, reference, entropies, token_values = (torch.zeros_like(behaviour) for _ in range(4))
        call_values = torch.zeros(batch.rewards.numel(), device=device)
        for part in self._parts_of_all(batch):
            old[part.tokens], entropies[part.tokens] = self._networks.log_probabilities_and_entropies(part)
            reference[part.tokens] = self._networks.reference_log_probabilities(part)
            if settings.value == ValueLevel.TURN:
                call_values[part.calls] = self._networks.values(part, part.call_places)
            elif settings.value == ValueLevel.TOKEN:
                token_values[part.tokens] = self._networks.values(part, part.places)

        has_call, learns_call = batch.has_call.to(device), batch.learns.to(device).flatten()
        ratios = old - reference
        kl = maths.call_means(ratios, calls, of=batch.rewards.numel())
        rewards = batch.rewards.to(device) - settings.beta * kl.view(batch.rewards.shape)
        learns = learns_call[calls]
        if settings.value == ValueLevel.TOKEN:
            gae = maths.token_advantages(
                rewards, token_values, calls, gamma=settings.gamma, gae_lambda=settings.gae_lambda
            )
            values, unit_learns = token_values, learns
        else:
            lasting = settings.gae_lambda if settings.value == ValueLevel.TURN else 1.0  # without values: rewards to go
            gae = maths.advantages(
                rewards, call_values.view(rewards.shape), has_call, gamma=settings.gamma, gae_lambda=lasting
            ).flatten()
            values, unit_learns = call_values, learns_call
        white = torch.zeros_like(gae)
        white[unit_learns] = maths.whitened(gae[unit_learns], total=total)
        returns = gae + values
        is_number = float(total((~torch.isfinite(white)).sum()[None].double())) == 0
        if not is_number:
            raise _no_number("advantages", math.nan, iteration)

        def mean(numbers: torch.Tensor) -> float:
            return maths.moments(numbers, total=total).mean

        errors = maths.moments((returns - values)[unit_learns], total=total)
        spread = maths.moments(returns[unit_learns], total=total)
        has_values = settings.value != ValueLevel.NONE
        gaps = (old - behaviour).abs()
        figures: dict[str, float | None] = {
            "kl": mean(kl[has_call.flatten()]),
            "kl_tokens": float(total(ratios.double().sum()[None])) / dialogues,
            "entropy": mean(entropies),
            "weight": mean(maths.behaviour_weights(old, behaviour)),
            "value_error": mean((returns - values)[unit_learns] ** 2) if has_values else None,
            "explained": 1 - (errors.deviation / spread.deviation) ** 2 if has_values and spread.deviation else None,
            "mean_advantage": mean(gae[unit_learns]),
            "logprob_gap": self._largest(gaps.max() if len(gaps) else gaps.new_zeros(())),
        }
        token_white = white if settings.value == ValueLevel.TOKEN else white[calls]
        known = _Values(values, returns, unit_learns) if has_values else None
        return _Policy(old, behaviour, token_white, learns), known, figures

    def _step(
        self, parts: Sequence[Part], policy: _Policy, values: _Values | None, *, tokens: int, units: int, iteration: int
    ) -> _Step:
        """Make one update of ``parts``, which are of ``tokens`` and ``units`` (of values) in all processes."""
        settings, device = self._settings, self._device
        shown = torch.zeros(3, device=device, dtype=torch.double)
        for optimizer in self._optimizers.values():
            optimizer.zero_grad()
        for padded in parts:
            part = padded.to(device)
            learns = policy.learns[part.tokens]
            if not bool(learns.any()):
                continue
            numbers = part.tokens[learns]
            old, of_calls = policy.old[numbers], policy.advantages[numbers]
            new = self._networks.log_probabilities(part)[learns]
            losses = maths.policy_losses(new, old, policy.behaviour[numbers], of_calls, clip=settings.clip)
            loss = losses.sum() / tokens
            loss.backward()
            shown[0] += loss.detach()
            shown[2] += maths.is_clipped(new.detach(), old, of_calls, clip=settings.clip).sum()
            if values is not None:
                value_loss = self._value_loss(part, values, units)
                value_loss.backward()
                shown[1] += value_loss.detach()
        policy_loss, squares, clipped = self._total(shown).tolist()
        norms = {}
        for name, parameters in self._networks.parameters().items():
            if self._is_distributed:
                _add_gradients(parameters)
            norms[name] = float(torch.nn.utils.clip_grad_norm_(parameters, settings.max_gradient_norm))
        for name, number in (("loss", policy_loss), ("loss of the value", squares)):
            _check_number(name, number, iteration)
        for name, norm in norms.items():
            _check_number(f"norm of the {name}'s gradient", norm, iteration)
        for optimizer in self._optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = self._rate(self._updates + 1)
            optimizer.step()
            optimizer.zero_grad()
        self._updates += 1
        return _Step(policy_loss, squares, clipped, norms)

    def _value_loss(self, part: Part, values: _Values, units: int) -> torch.Tensor:
        """Return what ``part`` adds to the mean over ``units``."""
        is_turn = self._settings.value == ValueLevel.TURN
        places, numbers = (part.call_places, part.calls) if is_turn else (part.places, part.tokens)
        learns = values.learns[numbers]
        places, numbers = places[learns], numbers[learns]
        new = self._networks.values(part, places)
        losses = maths.value_losses(new, values.old[numbers], values.returns[numbers], clip=self._settings.clip)
        return losses.sum() / units

    def _learnt(self, parts: Sequence[Part], policy: _Policy, values: _Values | None) -> tuple[int, int]:
        """Return how many tokens, and how many calls or tokens with a value, are learnt of ``parts``."""
        tokens = sum(int(policy.learns[part.tokens].sum()) for part in parts)
        if values is None or self._settings.value == ValueLevel.TOKEN:
            return tokens, tokens
        return tokens, sum(int(values.learns[part.calls].sum()) for part in parts)

    def _parts_of_all(self, batch: Batch) -> list[Part]:
        everyone = range(len(batch.rewards))
        parts = batch.parts(everyone, tokens_at_a_time=self._settings.tokens_at_a_time)
        return [part.to(self._device) for part in parts]

    def _rate(self, update: int) -> float:
        """Return the learning rate of an update, from 1."""
        return self._settings.learning_rate * min(1.0, update / max(1, self._settings.warmup_updates))

    def _largest(self, number: torch.Tensor) -> float:
        """Return the largest of all processes."""
        if self._is_distributed:
            torch.distributed.all_reduce(number, op=torch.distributed.ReduceOp.MAX)
        return float(number)


def _check_number(name: str, number: float, iteration: int) -> None:
    if not math.isfinite(number):
        raise _no_number(name, number, iteration)


def _no_number(name: str, number: float, iteration: int) -> TurnwiseError:
    return TurnwiseError(
        f"The {name} of iteration {iteration} is {number}, so training stopped: give a smaller --learning-rate, and "
        "another --output_path."
    )


def _total(numbers: torch.Tensor) -> torch.Tensor:
    """Return the sum over all processes, the same in each of them."""
    torch.distributed.all_reduce(numbers)
    return numbers


def _add_gradients(parameters: Sequence[torch.nn.Parameter]) -> None:
    """Have each gradient be the sum of those of all processes; a process without has added nothing."""
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    for some in _buckets(parameters):
        flat = torch.cat([parameter.grad.flatten() for parameter in some])
        torch.distributed.all_reduce(flat)
        for parameter, total in zip(some, flat.split([parameter.numel() for parameter in some]), strict=True):
            parameter.grad.copy_(total.view_as(parameter))


def _buckets(parameters: Sequence[torch.nn.Parameter]) -> list[list[torch.nn.Parameter]]:
    buckets: list[list[torch.nn.Parameter]] = []
    size = 0
    for parameter in parameters:
        if not buckets or size + parameter.numel() > GRADIENTS_AT_A_TIME:
            buckets.append([])
            size = 0
        buckets[-1].append(parameter)
        size += parameter.numel()
    return buckets
