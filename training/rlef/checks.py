"""What is found of a reinforcement learning before any weight is loaded: its model's size, memory, disk, tokenizer."""

import importlib.util
from dataclasses import dataclass

from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.records.choices import RolloutEngine
from turnwise.runners.models.chat import ChatTemplate
from turnwise.training.base_model import ModelShape
from turnwise.training.memory import Estimate, check_fits, device_memory, free_disk, is_sharded, size_of
from turnwise.training.processes import check_processes
from turnwise.training.rlef.memory import SMALLER, estimate
from turnwise.training.rlef.plan import Plan
from turnwise.training.tokenizer import open_tokenizer


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of a plan's model and machine; ``memory`` is None where another machine is to train."""

    shape: ModelShape
    estimate: Estimate
    memory: int | None
    disk: int


def check(plan: Plan, *, is_here: bool = True) -> Checked:
    """Return what was found; raises TurnwiseError for a model, a tokenizer or a machine that will not do.

    Accelerators and memory are asked for only where it ``is_here`` that the training will be.
    """
    training, settings = plan.training, plan.settings
    if is_here:
        check_processes(plan.environ)
        _check_device(plan)
    if training.engine != RolloutEngine.HF and plan.processes > 1:
        raise TurnwiseError(
            f"--rollout-engine {training.engine} samples for one process, and {plan.processes} train together: leave "
            "it out, or see turnwise rlef --engine."
        )
    if training.engine != RolloutEngine.HF and is_here and importlib.util.find_spec(training.engine) is None:
        raise MissingExtraError(f"--rollout-engine {training.engine}", training.engine, training.engine)
    if is_sharded(plan.environ):
        raise TurnwiseError(
            "accelerate is told to cut the model over the devices (FSDP or DeepSpeed), and turnwise rlef keeps it "
            "whole on each: launch without, or see turnwise rlef --engine."
        )
    model = training.model
    tokenizer = open_tokenizer(
        training.tokenizer or model.name, revision=model.revision, trust_remote_code=model.trust_remote_code
    )
    template = ChatTemplate(
        tokenizer,
        max_length=settings.max_length,
        max_tokens=settings.max_reply_tokens,
        system_role=training.system_role,
    )
    template.check(training.dialogues.system_instruction)
    model.check_weights()
    shape = model.shape(lora_rank=settings.lora_rank)
    if len(tokenizer) > shape.vocabulary:
        raise TurnwiseError(
            f"The model {model.name!r} knows {shape.vocabulary:,} tokens, and its tokenizer {len(tokenizer):,}: name "
            "the tokenizer that it was made with."
        )
    if shape.context is not None and settings.max_length > shape.context:
        raise TurnwiseError(
            f"The model {model.name!r} reads {shape.context:,} tokens, and --max-length is {settings.max_length:,}: "
            f"give --max-length {shape.context}."
        )
    device = plan.device.partition(":")[0] if is_here else "cuda"
    needed = estimate(
        shape,
        settings,
        device=device,
        processes=plan.processes,
        turns=plan.calls,
        has_own_engine=training.engine != RolloutEngine.HF,
    )
    memory = device_memory(device, plan.environ) if is_here else None
    return Checked(shape, needed, memory, free_disk(plan.output))


def check_room(plan: Plan, checked: Checked) -> None:
    """Raise TurnwiseError where a device has less memory, or the disk less room, than is needed."""
    check_fits(
        checked.estimate,
        memory=checked.memory,
        disk=checked.disk,
        kept=size_of(plan.output) if plan.output.is_dir() else 0,
        output=plan.output,
        smaller=SMALLER,
    )


def _check_device(plan: Plan) -> None:
    """Raise TurnwiseError for an accelerator that is not there, and for several where one process trains."""
    if not plan.device.startswith("cuda"):
        return
    import torch

    if not (count := torch.cuda.device_count()):
        raise TurnwiseError("-a device=cuda, and no accelerator is here: give device=cpu, or go where there is one.")
    if count > 1 and "RANK" not in plan.environ:
        raise TurnwiseError(
            f"{count} accelerators are here: train with all by accelerate launch --num_processes {count} -m turnwise "
            "rlef ..., or choose one by CUDA_VISIBLE_DEVICES=0."
        )
