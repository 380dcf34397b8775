"""``turnwise rft``: say what a fine-tuning will be, check that it can be, and train."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from turnwise.commands.machine import check_output, show_progress
from turnwise.commands.trained import (
    PlannedJob,
    Trained,
    TrainingArguments,
    done_already,
    ended,
    planned_job,
    status_in_job,
    stopped_by_signal,
    typed_dtype,
)
from turnwise.commands.training_options import RftOptions
from turnwise.errors import TurnwiseError
from turnwise.records.choices import BackEndName
from turnwise.runners.models.back_end import parse_pairs, validated
from turnwise.texts import printable
from turnwise.training.base_model import BaseModel
from turnwise.training.fine_tuning.plan import Plan, Training
from turnwise.training.fine_tuning.settings import PROFILES, Profile
from turnwise.training.fine_tuning.training import Checked, check, check_room, train
from turnwise.training.memory import gigabytes


def rft_command(data: Path, options: RftOptions, *, environ: dict[str, str], arguments: Sequence[str] = ()) -> Trained:
    """Train, or say what training would take; raises TurnwiseError for what the user got wrong.

    SIGUSR2 ends it after the step at hand, with a checkpoint.
    """
    with stopped_by_signal() as stop:
        return fine_tune(data, options, command=shlex.join(["turnwise", *arguments]), environ=environ, stop=stop)


def fine_tune(
    data: Path, options: RftOptions, *, command: str, environ: dict[str, str], stop: Callable[[], bool]
) -> Trained:
    """Train until the last step, or until ``stop`` says so and a checkpoint is saved; ``command`` is recorded."""
    plan = _plan(data, options, command=command, environ=environ)
    if plan.is_done and not options.dry_run:
        return done_already(plan)
    checked = check(plan) if plan.is_main else None
    lines = describe(plan, checked) if checked is not None else []
    if options.dry_run:
        return Trained("\n".join(lines))
    if checked is not None:
        check_room(plan, checked)
        print("\n".join(lines), flush=True)
    with show_progress() as on_progress:
        is_done = train(plan, checked, stop=stop, on_progress=on_progress)
    return ended(plan, is_done=is_done, unit="step")


def plan_job(data: Path, options: RftOptions, *, command: str, environ: dict[str, str], processes: int) -> PlannedJob:
    """Return what a training of so many processes on another machine will be, checked but for that one's devices.

    Raises TurnwiseError for what the user got wrong.
    """
    plan = _plan(data, options, command=command, environ={**environ, "WORLD_SIZE": str(processes), "RANK": "0"})
    checked = check(plan, is_here=False)
    if not plan.is_done:
        check_room(plan, checked)
    return planned_job(plan, describe(plan, checked))


def train_job(
    data: Path, options: RftOptions, *, command: str, environ: dict[str, str], stop: Callable[[], bool]
) -> int:
    """Train in a job; return the exit status."""
    train_here = partial(fine_tune, data, options, command=command, environ=environ, stop=stop)
    return status_in_job(train_here, environ)


def _plan(data: Path, options: RftOptions, *, command: str, environ: dict[str, str]) -> Plan:
    plan = training_of(data, options, command=command).plan(environ)
    check_output(plan.output)
    if plan.output.resolve() == data.resolve():
        raise TurnwiseError(f"--output_path is the folder of the data, {str(data)!r}: give the model one of its own.")
    if plan.is_main:
        plan.check_same()
    return plan


def training_of(data: Path, options: RftOptions, *, command: str) -> Training:
    """Return the training that options ask for; raises TurnwiseError for what they lack."""
    if options.model is not BackEndName.HF:
        given = f"-M {options.model.value} cannot be trained" if options.model else "turnwise rft needs a model"
        raise TurnwiseError(f"{given}: give -M hf -a model=NAME_OR_FOLDER.")
    if options.output_path is None:
        raise TurnwiseError("turnwise rft needs --output_path: the folder of the trained model.")
    given_arguments = validated(TrainingArguments, parse_pairs(options.model_args, "--model_args"), "--model_args")
    return Training(
        data,
        options.output_path,
        BaseModel(given_arguments.name("hf"), given_arguments.revision, given_arguments.trust_remote_code),
        _profile(options, given_arguments.dtype),
        tokenizer=given_arguments.tokenizer,
        device=given_arguments.device,
        command=command,
    )


def _profile(options: RftOptions, dtype: str) -> Profile:
    """Return the settings: the profile's, and in place of them those that were typed."""
    if options.steps is not None and options.epochs is not None:
        raise TurnwiseError("--steps and --epochs both say how long to train: give one of them.")
    profile = PROFILES[options.profile]
    typed: dict[str, Any] = options.given() | typed_dtype(options.dtype, dtype)
    epochs = None if options.steps is not None else options.epochs if options.epochs is not None else profile.epochs
    return Profile(replace(profile.settings, **typed), epochs)


def describe(plan: Plan, checked: Checked) -> list[str]:
    """Return what a training will be, a line a matter."""
    file, settings, shape, needed = plan.file, plan.settings, checked.shape, checked.estimate
    tokens_a_step = plan.record.rows_per_step * file.tokens / file.rows
    devices = f"{plan.processes} devices" if plan.processes > 1 else "1 device"
    trained = f"{shape.trained:,} trained (LoRA of rank {settings.lora_rank})" if settings.lora_rank else "all trained"
    free = "" if checked.memory is None else f", {gigabytes(checked.memory)} free"
    lines = [
        f"Data: {file.rows:,} dialogues, {file.tokens:,} tokens, {file.labels:,} of them to learn; the longest has "
        f"{checked.longest:,}.",
        f"Steps: {settings.steps:,} of {plan.record.rows_per_step:,} dialogues, about {tokens_a_step:,.0f} tokens: "
        f"{plan.epochs:.2f} epochs; {devices}, {plan.micro_batches} x {settings.rows_per_device} dialogue(s) a step.",
        f"Parameters: {shape.parameters:,}, {trained}, {settings.dtype}.",
        f"Memory: about {gigabytes(needed.memory)} a device (states {gigabytes(needed.states)}, activations "
        f"{gigabytes(needed.activations)}, logits {gigabytes(needed.logits)}){free}.",
        f"Disk: about {gigabytes(needed.disk)}, {gigabytes(checked.disk)} free.",
    ]
    if settings.warmup_steps >= settings.steps:
        lines.append(
            f"The rate rises over {settings.warmup_steps:,} steps, and there are {settings.steps:,}: it never comes to "
            "its peak; give fewer --warmup-steps."
        )
    if plan.train_on_test:
        tests = printable(", ".join(plan.train_on_test), limit=200)
        lines.append(f"Trained on tests ({tests}): the model's folder is {plan.checkpoint.name}, and its rows say so.")
    if plan.latest:
        lines.append(f"Goes on from checkpoint-{plan.latest}.")
    return lines
