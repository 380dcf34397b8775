"""RLEF by SkyRL: its trainer with our advantages, its generator with our environment, and the program that runs both.

    BasePPOExp.get_trainer                          made to be overridden: the trainer below
    RayPPOTrainer.apply_reward_kl_penalty           the mean log-ratio of a reply, not the sum over its tokens
    RayPPOTrainer.compute_advantages_and_returns    turn-level, whitened over replies
    RayPPOTrainer._execute_training_step            values are learnt at the replies' first tokens (private)

SkyRL's registered advantage estimators do not do: what they are given as ``response_mask`` is 1 on feedback, too, so
that they cannot see where replies begin (docs/engines.md). ``values`` of a token are of what is before it. This module
needs skyrl, and is imported only where that is. Its formulas are tested; its loop was never run, for want of a GPU.
"""

import sys
from pathlib import Path
from typing import Any

import ray
from omegaconf import OmegaConf
from skyrl.backends.skyrl_train.inference_servers.utils import resolve_policy_model_name
from skyrl.train.config.config import SkyRLTrainConfig
from skyrl.train.entrypoints.main_base import BasePPOExp
from skyrl.train.generators.skyrl_gym_generator import SkyRLGymGenerator
from skyrl.train.trainer import RayPPOTrainer
from skyrl.train.utils.utils import initialize_ray, validate_cfg

from turnwise.training.engines.gym import LATE_REWARD, SPOILED, register_environment
from turnwise.training.engines.turn_level import Turns, advantages_of, check_spoiled, into_rewards, turns_of
from turnwise.training.engines.versions import check_engine


class RLEFTrainer(RayPPOTrainer):
    """SkyRL's trainer with the rewards, advantages and values of RLEF.

    More than ``most_spoiled`` of an iteration's dialogues without a reward stop it.
    """

    most_spoiled = 0.05
    _value_mask: Any = None

    def apply_reward_kl_penalty(self, data: Any) -> Any:
        """Charge each reply beta times its mean log-ratio."""
        turns = turns_of(data["loss_mask"])
        ratios = data["action_log_probs"] - data["base_action_log_probs"]
        beta = self.cfg.trainer.algorithm.kl_loss_coef
        data["rewards"] = into_rewards(data["rewards"], ratios, turns, beta=beta)
        total = (ratios * data["loss_mask"]).sum(dim=-1).mean().item()
        self.all_metrics.update({"loss/kl_tokens": total, "loss/kl_loss_coef": beta})
        return data

    def compute_advantages_and_returns(self, data: Any) -> Any:
        """Put ``advantages`` and ``returns`` into the batch, and keep where values are learnt."""
        algorithm, turns = self.cfg.trainer.algorithm, turns_of(data["loss_mask"])
        padding = data.metadata.get("pad_size", 0)
        rows = len(data["rewards"]) - padding
        spoiled = check_spoiled(turns, [True] * rows + [False] * padding, most=self.most_spoiled)
        learnt = advantages_of(
            data["rewards"], data["values"], turns, gamma=algorithm.gamma, gae_lambda=algorithm.lambd
        )
        data["advantages"], data["returns"], self._value_mask = learnt.advantages, learnt.returns, learnt.value_mask
        data = data.to("cpu")
        metrics = _metrics(data, turns, rows, spoiled)
        data.metadata.setdefault("metrics", {}).update(metrics)
        self.all_metrics.update({f"loss/{name}": value for name, value in metrics.items()})
        return data

    def _execute_training_step(self, model: str, data: Any) -> dict[str, float]:
        sampled = data["loss_mask"]
        if model == "critic":
            data["loss_mask"] = self._value_mask.to(sampled.dtype)
        try:
            metrics: dict[str, float] = super()._execute_training_step(model, data)
        finally:
            data["loss_mask"] = sampled
        return metrics


class RLEFGenerator(SkyRLGymGenerator):
    """SkyRL's generator; learns nothing from dialogues that the machine spoiled, and rewards those it cut short."""

    def _post_process_agent_loop_output(self, agent_loop_output: Any, _env_extras: Any, _trajectory_id: Any) -> Any:
        output = super()._post_process_agent_loop_output(agent_loop_output, _env_extras, _trajectory_id)
        if output.env_metrics[SPOILED]:
            output.loss_mask = [0] * len(output.loss_mask)
        output.reward[-1] += output.env_metrics.pop(LATE_REWARD)
        return output


class RLEFExperiment(BasePPOExp):
    """SkyRL's experiment of RLEF."""

    def __init__(self, cfg: Any, most_spoiled: float) -> None:
        super().__init__(cfg)
        self.most_spoiled = most_spoiled

    def get_generator(self, cfg: Any, tokenizer: Any, inference_engine_client: Any) -> RLEFGenerator:
        """Return the generator, with turnwise's environment known to it."""
        register_environment()
        return RLEFGenerator(
            generator_cfg=cfg.generator,
            skyrl_gym_cfg=cfg.environment.skyrl_gym,
            inference_engine_client=inference_engine_client,
            tokenizer=tokenizer,
            policy_model_name=resolve_policy_model_name(cfg),
        )

    def get_trainer(self, **parts: Any) -> RLEFTrainer:
        """Return the trainer."""
        trainer = RLEFTrainer(**parts)
        trainer.most_spoiled = self.most_spoiled
        return trainer


def _metrics(data: Any, turns: Turns, rows: int, spoiled: int) -> dict[str, float]:
    advantages = data["advantages"][:rows][turns.is_first[:rows].cpu()]
    return {
        "avg_final_rewards": data["rewards"][:rows].sum(dim=-1).mean().item(),
        "avg_response_length": data.metadata["avg_response_length"],
        "avg_raw_advantages": advantages.mean().item(),
        "avg_raw_advantages_abs": advantages.abs().mean().item(),
        "replies": float(len(advantages)),
        "spoiled": float(spoiled),
    }


@ray.remote(num_cpus=1)
def _train(cfg: Any, most_spoiled: float) -> None:
    RLEFExperiment(cfg, most_spoiled).run()


def main(configuration: str, *, most_spoiled: float) -> None:
    """Train by the yaml file ``configuration``; what the command line adds, as ``name=value``, comes before it.

    Raises TurnwiseError for another release of the engine than those that were tried.
    """
    check_engine("skyrl")
    check_engine("skyrl-gym")
    merged = OmegaConf.merge(OmegaConf.load(Path(configuration)), OmegaConf.from_cli(sys.argv[1:]))
    cfg = SkyRLTrainConfig.from_dict_config(merged)
    validate_cfg(cfg)
    initialize_ray(cfg)
    ray.get(_train.remote(cfg, most_spoiled))
