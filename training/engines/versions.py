"""Which releases of the engines the adapters were written for, and what of them they call or override.

An engine's API changes with each release, and what is overridden here is partly private. So an adapter checks two
things before it trains: that the release is one it was tried against, and that each function still takes the parameters
that it took then. Either refuses in a sentence. Nothing of an engine is imported but by ``check_hooks``.
"""

import importlib
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from turnwise.errors import TurnwiseError

_DEFAULT = "="


@dataclass(frozen=True, slots=True)
class Release:
    """A package in the versions from ``least`` to before ``below``, and the line that installs it."""

    package: str
    least: str
    below: str
    install: str


@dataclass(frozen=True, slots=True)
class Hook:
    """A function of an engine that is called or overridden, with the ``parameters`` that it has to take.

    ``name`` is dotted within ``module``. Parameters are written as in Python, without types, and with ``=`` alone for a
    default: ``self, model, data``.
    """

    module: str
    name: str
    parameters: str


# What skyrl and verl pin of torch, vLLM and transformers differs from one another and from turnwise's own extras.
RELEASES = {
    "skyrl": (
        Release("skyrl", "0.3.0", "0.4", "pip install 'skyrl[fsdp]==0.3.0' in an environment of its own"),
        Release("skyrl-gym", "0.4.0", "0.5", "pip install skyrl-gym==0.4.0"),
    ),
    "skyrl-gym": (Release("skyrl-gym", "0.4.0", "0.5", "pip install skyrl-gym==0.4.0"),),
    "verl": (Release("verl", "0.9.1", "0.10", "pip install 'verl[verl-core]==0.9.1' in an environment of its own"),),
    "trl": (Release("trl", "1.16", "2", "pip install 'turnwise[train]'"),),
}

_MAIN_BASE, _SKYRL_TRAINER = "skyrl.train.entrypoints.main_base", "skyrl.train.trainer"
_SKYRL_GENERATOR = "skyrl.train.generators.skyrl_gym_generator"
_VERL_TRAINER, _VERL_LOOP = "verl.trainer.ppo.v1.trainer_base", "verl.experimental.agent_loop.agent_loop"
HOOKS = {
    "skyrl": (
        Hook(_MAIN_BASE, "BasePPOExp.__init__", "self, cfg"),
        Hook(
            _MAIN_BASE,
            "BasePPOExp.get_trainer",
            "self, cfg, tracker, tokenizer, train_dataset, eval_dataset, inference_engine_client, generator, "
            "colocate_pg",
        ),
        Hook(_MAIN_BASE, "BasePPOExp.get_generator", "self, cfg, tokenizer, inference_engine_client"),
        Hook(_MAIN_BASE, "BasePPOExp.run", "self"),
        Hook(_SKYRL_TRAINER, "RayPPOTrainer.apply_reward_kl_penalty", "self, data"),
        Hook(_SKYRL_TRAINER, "RayPPOTrainer.compute_advantages_and_returns", "self, data"),
        Hook(_SKYRL_TRAINER, "RayPPOTrainer._execute_training_step", "self, model, data"),
        Hook(
            _SKYRL_GENERATOR,
            "SkyRLGymGenerator.__init__",
            "self, generator_cfg, skyrl_gym_cfg, inference_engine_client, tokenizer, policy_model_name=",
        ),
        Hook(
            _SKYRL_GENERATOR,
            "SkyRLGymGenerator._post_process_agent_loop_output",
            "self, agent_loop_output, _env_extras, _trajectory_id",
        ),
        Hook("skyrl.backends.skyrl_train.inference_servers.utils", "resolve_policy_model_name", "cfg"),
        Hook("skyrl.train.config.config", "BaseConfig.from_dict_config", "cls, cfg"),
        Hook("skyrl.train.utils.utils", "validate_cfg", "cfg"),
        Hook("skyrl.train.utils.utils", "initialize_ray", "cfg"),
    ),
    "skyrl-gym": (
        Hook("skyrl_gym.envs.registration", "register", "id, entry_point=, kwargs="),
        Hook("skyrl_gym.envs.registration", "make", "id, **kwargs"),
        Hook("skyrl_gym.envs.base_text_env", "BaseTextEnv.__init__", "self"),
        Hook("skyrl_gym.envs.base_text_env", "BaseTextEnv.init", "self, prompt"),
        Hook("skyrl_gym.envs.base_text_env", "BaseTextEnv.step", "self, action"),
        Hook("skyrl_gym.envs.base_text_env", "BaseTextEnv.get_metrics", "self"),
    ),
    "verl": (
        Hook(_VERL_TRAINER, "register_trainer", "name"),
        Hook(_VERL_TRAINER, "PPOTrainer._compute_advantage", "self, batch, metrics"),
        Hook("verl.trainer.main_ppo", "run_ppo", "config, task_runner_class"),
        Hook("verl.trainer.main_ppo", "TaskRunnerV1.run", "self, config"),
        Hook(_VERL_LOOP, "AgentLoopBase.run", "self, sampling_params, **kwargs"),
        Hook(
            _VERL_LOOP,
            "AgentLoopBase.ct_build_initial_tokens",
            "self, messages, tools=, images=, videos=, audios=, mm_inputs_out=",
        ),
        Hook(
            _VERL_LOOP,
            "AgentLoopBase.ct_merge_assistant_token",
            "self, runtime_token_ids, assistant_token_ids, response_mask, response_logprobs=, assistant_logprobs=",
        ),
        Hook(
            _VERL_LOOP,
            "AgentLoopBase.ct_merge_context_msg",
            "self, previous_messages, updated_messages, runtime_token_ids, response_mask, response_logprobs=, tools=",
        ),
        Hook(_VERL_LOOP, "AgentLoopOutput.as_dict", "self"),
        Hook(_VERL_LOOP, "register", "agent_name"),
        Hook(
            "verl.workers.rollout.llm_server",
            "LLMServerClient.generate",
            "self, request_id, *, prompt_ids, sampling_params, image_data=, video_data=, audio_data=, "
            "mm_processor_kwargs=, **kwargs",
        ),
        Hook("verl.workers.utils.padding", "response_to_nested", "tensor, response_mask"),
        Hook("verl.utils.config", "validate_config", "config, use_reference_policy, use_critic"),
    ),
    "trl": (Hook("trl", "GRPOTrainer._generate", "self, prompts"),),
}


def check_releases(engine: str) -> None:
    """Raise TurnwiseError unless the packages of ``engine`` are installed in the versions that were tried."""
    for release in RELEASES[engine]:
        try:
            installed = version(release.package)
        except PackageNotFoundError:
            raise TurnwiseError(f"{release.package} is not installed: {release.install}.") from None
        if not _numbers(release.least) <= _numbers(installed) < _numbers(release.below):
            raise TurnwiseError(
                f"{release.package} {installed} is installed, and turnwise's adapter was written for {release.least} "
                f"and later, below {release.below}: {release.install}."
            )


def check_hooks(engine: str) -> None:
    """Raise TurnwiseError unless each function of ``engine`` takes the parameters that the adapter knows."""
    for hook in HOOKS[engine]:
        try:
            first, *inner = hook.name.split(".")
            attribute: Any = getattr(importlib.import_module(hook.module), first)
            of_actor = getattr(attribute, "__ray_metadata__", None)  # of ray
            attribute = getattr(of_actor, "modified_class", attribute)
            for part in inner:
                attribute = inspect.getattr_static(attribute, part)
        except (ImportError, AttributeError) as error:
            raise _changed(engine, hook, f"cannot be found ({error})") from None
        parameters = parameters_of(getattr(attribute, "__func__", attribute))
        if parameters != hook.parameters:
            raise _changed(engine, hook, f"takes ({parameters}), not ({hook.parameters})")


def check_engine(engine: str) -> None:
    """Raise TurnwiseError unless ``engine`` is what its adapter was written for."""
    check_releases(engine)
    check_hooks(engine)


def parameters_of(function: Callable[..., Any]) -> str:
    """Return what a function takes as a Hook writes it.

    >>> parameters_of(lambda self, *, model, data=None: 0)
    'self, *, model, data='
    """
    parts: list[str] = []
    is_starred = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            is_starred = True
            parts.append(f"*{parameter.name}")
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not is_starred:
            is_starred = True
            parts.append("*")
        prefix = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
        parts.append(f"{prefix}{parameter.name}{'' if parameter.default is parameter.empty else _DEFAULT}")
    return ", ".join(parts)


def _changed(engine: str, hook: Hook, how: str) -> TurnwiseError:
    installs = " and ".join(release.install for release in RELEASES[engine])
    return TurnwiseError(
        f"{hook.module}.{hook.name} of {engine} {how}, so that turnwise's adapter does not fit it: {installs}."
    )


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers a version begins with: 1.16.0.dev1 is (1, 16, 0)."""
    match = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()
