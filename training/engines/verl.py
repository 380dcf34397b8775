"""RLEF by verl: its trainer with our advantages, an agent loop over our environment, and the program that runs both.

    register_trainer, trainer.v1.trainer_mode       the trainer below
    PPOTrainer._compute_advantage                   what it writes is written anew, turn-level (private)
    AgentLoopBase.run                               a dialogue, token-exact by verl's own ContinuousTokenBuilder
    AgentLoopOutput.as_dict                         each reply's reward on its last token: verl has one a dialogue

What stays verl's: the critic learns at every token of a reply, whose target is the reply's return, where R's learns at
the reply's prompt alone. This module needs verl, and is imported only where that is. Its formulas are tested; its loop
was never run, for want of a GPU.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import ray
import transfer_queue
from hydra import compose, initialize_config_module
from tensordict import TensorDict
from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopMetrics, AgentLoopOutput
from verl.trainer.main_ppo import TaskRunnerV1, run_ppo
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.trainer.ppo.v1.trainer_base import register_trainer
from verl.trainer.ppo.v1.trainer_sync import PPOTrainerSync
from verl.utils.config import validate_config
from verl.workers.utils.padding import response_to_nested

from turnwise.records.trajectory import End
from turnwise.training.engines.environments import environments_of
from turnwise.training.engines.turn_level import advantages_of, check_spoiled, into_rewards, turns_of
from turnwise.training.engines.versions import check_engine

TRAINER, AGENT = "turnwise_rlef", "turnwise"
_FIELDS = ("rm_scores", "response_mask", "old_log_probs", "ref_log_prob", "values")


@register_trainer(TRAINER)
class RLEFTrainer(PPOTrainerSync):
    """verl's synchronous trainer with the rewards and advantages of RLEF."""

    def _compute_advantage(self, batch: Any, metrics: dict[str, Any]) -> Any:
        """Let verl compute its own, for the metrics and the weights of the behaviour policy; then write ours."""
        batch = super()._compute_advantage(batch, metrics)
        algorithm = self.config.algorithm
        needed = [
            name
            for name in _FIELDS
            if (name != "values" or self.use_critic) and (name != "ref_log_prob" or algorithm.use_kl_in_reward)
        ]
        data = transfer_queue.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=needed)
        nested, padded = data["response_mask"], data.to_padded_tensor()
        turns = turns_of(padded["response_mask"])
        is_dialogue = [not tag.get("is_padding", False) for tag in batch.tags]
        metrics["training/spoiled"] = check_spoiled(turns, is_dialogue, most=self.config.turnwise.most_spoiled)
        rewards = padded["rm_scores"]
        if algorithm.use_kl_in_reward:
            ratios = padded["old_log_probs"] - padded["ref_log_prob"]
            rewards = into_rewards(rewards, ratios, turns, beta=algorithm.kl_ctrl.kl_coef)
        values = padded["values"] if self.use_critic else None
        learnt = advantages_of(rewards, values, turns, gamma=algorithm.gamma, gae_lambda=algorithm.lam)
        fields = {"advantages": learnt.advantages, "returns": learnt.returns}
        if algorithm.use_kl_in_reward:
            fields["token_level_rewards"] = rewards
        written = {name: response_to_nested(numbers, nested) for name, numbers in fields.items()}
        return transfer_queue.kv_batch_put(
            keys=batch.keys, partition_id=batch.partition_id, fields=TensorDict(written, batch_size=len(batch))
        )


class RewardedOutput(AgentLoopOutput):
    """What a dialogue gives verl, with ``turn_rewards``: pairs of a reply's last token and what it earned."""

    turn_rewards: list[tuple[int, float]]

    def as_dict(self) -> dict[str, Any]:
        """Return what verl keeps of it; ``rm_scores`` have the rewards where they were earned."""
        output: dict[str, Any] = super().as_dict()
        output.pop("turn_rewards", None)
        scores = output["rm_scores"].zero_()
        for place, reward in self.turn_rewards:
            scores[place] += reward
        return output


class TurnwiseLoop(AgentLoopBase):
    """A dialogue with turnwise's environment; agents.yaml names it, so that each worker finds it."""

    async def run(self, sampling_params: dict[str, Any], **kwargs: Any) -> RewardedOutput:
        """Carry a dialogue to its end; judging runs in threads."""
        info, step_number = kwargs["extra_info"], int(kwargs.get("global_steps", 0))
        opened = await asyncio.to_thread(environments_of, info["environment"])
        settings, group = opened.record.settings, self.rollout_config.n
        sample = step_number * group + int(kwargs.get("session_id", 0))
        environment = opened.make(info["problem"], sample, iteration=max(1, step_number))
        messages = list(environment.reset())
        ids = await self.ct_build_initial_tokens(messages)
        prompt, request, longest = len(ids), uuid4().hex, self.rollout_config.response_length
        mask: list[int] = []
        logprobs: list[float] = []
        rewards: list[tuple[int, float]] = []
        extra: dict[str, Any] = {}
        while True:
            limit = min(settings.max_reply_tokens, longest - len(mask))
            if limit < 1:
                step = await asyncio.to_thread(environment.stop, End.CONTEXT_OVERFLOW)
                rewards.append((rewards[-1][0], step.reward or 0.0))
                break
            reply = await self.server_manager.generate(
                request_id=request, prompt_ids=ids, sampling_params={**sampling_params, "max_tokens": limit}
            )
            extra = _with_steps(extra, reply.extra_fields)
            merged, mask, logprobs = await self.ct_merge_assistant_token(
                ids, reply.token_ids, mask, logprobs, assistant_logprobs=reply.log_probs
            )
            text = self.tokenizer.decode(reply.token_ids, skip_special_tokens=True)
            step = await asyncio.to_thread(environment.step, text)
            rewards.append((len(mask) - 1, step.reward or 0.0))
            ids = merged.token_ids
            if step.done:
                break
            answered = [*messages, {"role": "assistant", "content": text}]
            messages = [*answered, *step.messages]
            merged, mask, logprobs = await self.ct_merge_context_msg(answered, messages, ids, mask, logprobs)
            ids = merged.token_ids
        if step.reward is None:  # the machine spoiled it: nothing is learnt of it
            mask, rewards = [0] * len(mask), []
        return RewardedOutput(
            prompt_ids=ids[:prompt],
            response_ids=ids[prompt:][:longest],
            response_mask=mask[:longest],
            response_logprobs=logprobs[:longest],
            reward_score=sum(reward for _, reward in rewards),
            turn_rewards=rewards,
            num_turns=len(messages) + 1,
            metrics=AgentLoopMetrics(),
            extra_fields={**extra, "turn_scores": [reward for _, reward in rewards], "tool_rewards": []},
        )


def _with_steps(before: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """Return what the engine told of the replies so far: the first weights that sampled, and the last."""
    latest = extra.get("max_global_steps")
    return {**before, **({"max_global_steps": latest} if latest is not None else {})} if before else dict(extra)


class _TaskRunner(TaskRunnerV1.__ray_metadata__.modified_class):
    """verl's task runner. Whoever unpickles it imports this module, which makes the trainer known there."""


def main(overrides: str) -> None:
    """Train by verl's configuration ``ppo_trainer`` with the lines of the file ``overrides``, then the command line's.

    Raises TurnwiseError for another release of the engine than those that were tried.
    """
    check_engine("verl")
    lines = Path(overrides).read_text(encoding="utf-8").splitlines()
    with initialize_config_module("verl.trainer.config", version_base=None):
        config = compose("ppo_trainer", [*filter(None, lines), *sys.argv[1:]])
    validate_config(config=config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config))
    run_ppo(config, task_runner_class=ray.remote(num_cpus=1)(_TaskRunner))
