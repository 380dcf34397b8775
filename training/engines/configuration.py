"""What an engine is told of a training: RLEF's numbers under the names of SkyRL's and of verl's configuration.

    skyrl_configuration(training)    a mapping as SkyRLTrainConfig has it
    verl_overrides(training)         lines as hydra takes them over verl's ppo_trainer

Every number comes from RlefSettings; what is written here says of an engine's switch how RLEF wants it. Does not import
an engine: tests/training/engines/test_wheels.py holds the names against the releases.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.json_text import json_line
from turnwise.records.rlef import RlefSettings

_FIRST_PROMPT = 4  # of verl, which wants a length of its own for it: the part of a dialogue's tokens that it may have
_NEVER = 1e6  # of verl's second clipping bound, which R's loss does not have
_GPU_MEMORY = 0.6  # the share that a sleeping vLLM may take when it wakes


@dataclass(frozen=True, slots=True)
class Nodes:
    """Where an engine runs: ``nodes`` with ``gpus`` and ``cpus`` each, and what sbatch is told.

    ``extra`` are more options of sbatch. ``setup`` are lines of shell before anything else, ``environment`` variables,
    ``python`` the interpreter that has the engine. ``tensor_parallel`` GPUs hold a copy of the model that samples.
    """

    nodes: int = 1
    gpus: int = 8
    cpus: int = 64
    memory_gb: float = 0
    time_minutes: int = 1440
    tensor_parallel: int = 1
    partition: str = ""
    account: str = ""
    qos: str = ""
    gpu_type: str = ""
    extra: dict[str, str | int | float | bool] = field(default_factory=dict)
    setup: tuple[str, ...] = ()
    environment: dict[str, str | int | float] = field(default_factory=dict)
    python: str = "python3"


@dataclass(frozen=True, slots=True)
class EngineTraining:
    """A training as an engine is told of it: ``folder`` (absolute) is where its files lie and what it makes.

    ``problems`` are as many as are asked, ``calls`` the most of a dialogue.
    """

    folder: Path
    model: str
    settings: RlefSettings
    problems: int
    calls: int
    nodes: Nodes = field(default_factory=Nodes)

    @property
    def prompts(self) -> int:
        """How many problems an iteration asks."""
        return self.settings.rollouts // self.settings.group

    @property
    def epochs(self) -> int:
        """How often an engine has to go through the problems; each leaves out what fills no iteration."""
        return math.ceil(self.settings.iterations / max(1, self.problems // self.prompts))


def check_training(training: EngineTraining) -> None:
    """Raise TurnwiseError for what the reference trainer can do, and engines cannot."""
    settings, nodes = training.settings, training.nodes
    gpus = nodes.nodes * nodes.gpus
    if settings.value == "token":
        raise TurnwiseError("--value token is of the reference trainer alone: give turn or none with --engine.")
    if settings.mask_cut:
        raise TurnwiseError("--mask-cut is of the reference trainer alone: leave it out with --engine.")
    if training.prompts % settings.minibatches:
        raise TurnwiseError(
            f"--rollouts {settings.rollouts} and --group {settings.group} make {training.prompts} problems an "
            f"iteration, which --minibatches {settings.minibatches} does not divide: engines need it to."
        )
    if not gpus:
        raise TurnwiseError("The cluster profile has no GPUs, and engines need some: give it gpus.")
    if gpus % nodes.tensor_parallel:
        raise TurnwiseError(f"{gpus} GPUs are no multiple of the {nodes.tensor_parallel} that sample together.")
    dialogues = settings.rollouts // settings.minibatches
    if dialogues % gpus:
        raise TurnwiseError(
            f"A minibatch has {dialogues} dialogues, which {gpus} GPUs cannot share evenly: give other nodes or gpus, "
            "--rollouts or --minibatches."
        )
    if training.problems < training.prompts:
        raise TurnwiseError(
            f"An iteration asks {training.prompts} problems, and there are {training.problems}: give a larger --group "
            "or fewer --rollouts, since engines ask none twice in an iteration."
        )


def skyrl_configuration(training: EngineTraining) -> dict[str, object]:
    """Return SkyRL's configuration of a training; raises TurnwiseError for what it cannot do."""
    check_training(training)
    settings, nodes, folder = training.settings, training.nodes, training.folder
    has_values = settings.value != "none"
    longest = settings.max_length - settings.max_reply_tokens
    lora = {"rank": settings.lora_rank, "alpha": 2 * settings.lora_rank} if settings.lora_rank else {"rank": 0}
    optimizer = {
        "lr": settings.learning_rate,
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_gradient_norm,
        "num_warmup_steps": settings.warmup_updates,
        "scheduler": "constant_with_warmup",
    }
    critic: dict[str, object] = {"model": {"path": training.model if has_values else None}}
    if has_values:
        critic = {"model": {"path": training.model, "lora": lora}, "optimizer_config": optimizer}
    trainer: dict[str, object] = {
        "strategy": "fsdp",
        "placement": {
            "colocate_all": True,
            **{f"{model}_num_nodes": nodes.nodes for model in ("policy", "critic", "ref")},
            **{f"{model}_num_gpus_per_node": nodes.gpus for model in ("policy", "critic", "ref")},
        },
        "policy": {"model": {"path": training.model, "lora": lora}, "optimizer_config": optimizer},
        "ref": {"model": {"path": training.model}},
        "critic": critic,
        "algorithm": {
            # What is overridden (skyrl.py); "gae" alone makes SkyRL want a critic.
            "advantage_estimator": "gae" if has_values else "reinforce++",
            "use_kl_in_reward": settings.beta > 0,
            "use_kl_loss": False,
            "kl_loss_coef": settings.beta,
            "kl_estimator_type": "k1",
            "kl_ctrl": {"type": "fixed"},
            "gamma": settings.gamma,
            "lambd": settings.gae_lambda,
            "advantage_batch_normalize": False,  # ours are white already, over replies
            "policy_loss_type": "regular",
            "loss_reduction": "token_mean",
            "eps_clip_low": settings.clip,
            "eps_clip_high": settings.clip,
            "value_clip": settings.clip,
            "off_policy_correction": {"tis_ratio_type": "token", "token_tis_ratio_clip_high": 1.0},
        },
        "gradient_checkpointing": True,
        "bf16": settings.dtype == "bfloat16",
        "seed": settings.seed,
        "epochs": training.epochs,
        "max_training_steps": settings.iterations,
        "update_epochs_per_batch": 1,
        "train_batch_size": training.prompts,
        "policy_mini_batch_size": training.prompts // settings.minibatches,
        "critic_mini_batch_size": training.prompts // settings.minibatches,
        "max_tokens_per_microbatch": settings.tokens_at_a_time,
        "max_prompt_length": longest,
        "eval_before_train": False,
        "eval_interval": -1,
        "ckpt_interval": settings.save_iterations,
        "max_ckpts_to_keep": 2,
        "hf_save_interval": settings.evaluate_iterations,
        "resume_mode": "latest",
        "ckpt_path": str(folder / "checkpoints"),
        "export_path": str(folder / "exports"),
        "log_path": str(folder / "logs"),
        "project_name": "turnwise-rlef",
        "run_name": folder.parent.name,
        "logger": "console",
    }
    generator: dict[str, object] = {
        "n_samples_per_prompt": settings.group,
        "batched": False,
        "max_turns": training.calls,
        "max_input_length": longest,
        "use_conversation_multi_turn": True,
        "step_wise_trajectories": False,
        "zero_reward_on_non_stop": False,
        "apply_overlong_filtering": False,
        "sampling_params": {
            "max_generate_length": settings.max_reply_tokens,
            "temperature": 1.0,
            "top_p": 1.0,
            "top_k": -1,
            "min_p": 0.0,
            "logprobs": 0,
        },
        "inference_engine": {
            "backend": "vllm",
            "model_dtype": settings.dtype,
            "run_engines_locally": True,
            "num_engines": nodes.nodes * nodes.gpus // nodes.tensor_parallel,
            "tensor_parallel_size": nodes.tensor_parallel,
            "gpu_memory_utilization": _GPU_MEMORY,
            "engine_init_kwargs": {"max_model_len": settings.max_length},
        },
    }
    return {
        "data": {"train_data": [str(folder / "problems.jsonl")], "val_data": []},
        "trainer": trainer,
        "generator": generator,
        "environment": {"env_class": "turnwise", "skyrl_gym": {"max_env_workers": max(8, nodes.cpus)}},
    }


def verl_overrides(training: EngineTraining) -> list[str]:
    """Return what verl's configuration is told of a training; raises TurnwiseError for what verl cannot do."""
    check_training(training)
    settings, nodes, folder = training.settings, training.nodes, training.folder
    has_values = settings.value != "none"
    first = settings.max_length // _FIRST_PROMPT
    problems = str(folder / "problems.jsonl")
    optimizer = {
        "lr": settings.learning_rate,
        "weight_decay": settings.weight_decay,
        "lr_warmup_steps": settings.warmup_updates,
        "lr_scheduler_type": "constant",
        "clip_grad": settings.max_gradient_norm,
    }
    minibatch = training.prompts // settings.minibatches
    named: dict[str, object] = {
        "data.train_files": [problems],
        "data.val_files": [problems],  # verl wants a file; nothing is measured on it
        "data.train_batch_size": training.prompts,
        "data.max_prompt_length": first,
        "data.max_response_length": settings.max_length - first,
        "data.filter_overlong_prompts": True,
        "data.truncation": "error",
        "data.seed": settings.seed,
        "algorithm.adv_estimator": "gae" if has_values else "reinforce_plus_plus",
        "algorithm.gamma": settings.gamma,
        "algorithm.lam": settings.gae_lambda,
        "algorithm.use_kl_in_reward": settings.beta > 0,
        "algorithm.kl_penalty": "kl",
        "algorithm.kl_ctrl.type": "fixed",
        "algorithm.kl_ctrl.kl_coef": settings.beta,
        "algorithm.rollout_correction.rollout_is": "token",
        "algorithm.rollout_correction.rollout_is_threshold": 1.0,
        "actor_rollout_ref.model.path": training.model,
        "actor_rollout_ref.model.enable_gradient_checkpointing": True,
        "actor_rollout_ref.model.lora_rank": settings.lora_rank,
        **{f"actor_rollout_ref.actor.optim.{name}": value for name, value in optimizer.items()},
        "actor_rollout_ref.actor.ppo_mini_batch_size": minibatch,
        "actor_rollout_ref.actor.ppo_epochs": 1,
        "actor_rollout_ref.actor.shuffle": False,
        "actor_rollout_ref.actor.use_dynamic_bsz": True,
        "actor_rollout_ref.actor.ppo_max_token_len_per_gpu": settings.tokens_at_a_time,
        "actor_rollout_ref.actor.clip_ratio": settings.clip,
        "actor_rollout_ref.actor.clip_ratio_low": settings.clip,
        "actor_rollout_ref.actor.clip_ratio_high": settings.clip,
        "actor_rollout_ref.actor.clip_ratio_c": _NEVER,
        "actor_rollout_ref.actor.loss_agg_mode": "token-mean",
        "actor_rollout_ref.actor.entropy_coeff": 0,
        "actor_rollout_ref.actor.use_kl_loss": False,
        "actor_rollout_ref.rollout.name": "vllm",
        "actor_rollout_ref.rollout.dtype": settings.dtype,
        "actor_rollout_ref.rollout.n": settings.group,
        "actor_rollout_ref.rollout.temperature": 1.0,
        "actor_rollout_ref.rollout.top_p": 1,
        "actor_rollout_ref.rollout.top_k": -1,
        "actor_rollout_ref.rollout.calculate_log_probs": True,
        "actor_rollout_ref.rollout.max_model_len": settings.max_length,
        "actor_rollout_ref.rollout.tensor_model_parallel_size": nodes.tensor_parallel,
        "actor_rollout_ref.rollout.gpu_memory_utilization": _GPU_MEMORY,
        "actor_rollout_ref.rollout.agent.default_agent_loop": "turnwise",
        "actor_rollout_ref.rollout.agent.agent_loop_config_path": str(folder / "agents.yaml"),
        "actor_rollout_ref.rollout.agent.num_workers": nodes.nodes,
        "critic.enable": has_values,
        "critic.model.path": training.model,
        "critic.model.lora_rank": settings.lora_rank,
        **{f"critic.optim.{name}": value for name, value in optimizer.items()},
        "critic.ppo_mini_batch_size": minibatch,
        "critic.ppo_epochs": 1,
        "critic.cliprange_value": settings.clip,
        "critic.ppo_max_token_len_per_gpu": settings.tokens_at_a_time,
        "trainer.nnodes": nodes.nodes,
        "trainer.n_gpus_per_node": nodes.gpus,
        "trainer.total_training_steps": settings.iterations,
        "trainer.total_epochs": training.epochs,
        "trainer.val_before_train": False,
        "trainer.test_freq": -1,
        "trainer.save_freq": settings.save_iterations,
        "trainer.max_actor_ckpt_to_keep": 2,
        "trainer.max_critic_ckpt_to_keep": 2,
        "trainer.resume_mode": "auto",
        "trainer.default_local_dir": str(folder / "checkpoints"),
        "trainer.project_name": "turnwise-rlef",
        "trainer.experiment_name": folder.parent.name,
        "trainer.logger": ["console"],
        "trainer.use_v1": True,
        "trainer.v1.trainer_mode": "turnwise_rlef",
    }
    added = {"turnwise.most_spoiled": settings.most_spoiled}
    return [f"{name}={_value(value)}" for name, value in named.items()] + [
        f"+{name}={_value(value)}" for name, value in added.items()
    ]


def _value(value: object) -> str:
    """Return ``value`` as hydra's grammar has it, texts quoted: JSON, but for the quotes within a text."""
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return "[" + ",".join(map(_value, value)) + "]" if isinstance(value, list) else json_line(value)
