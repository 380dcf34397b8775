"""``turnwise rft``: say what a fine-tuning will be, check that it can be, and train."""

import shlex
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from turnwise.commands.machine import check_output, show_progress
from turnwise.commands.options import RftOptions
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.choices import BackEndName, TrainingType
from turnwise.runners.models.back_end import LocalArguments, parse_pairs, validated
from turnwise.texts import printable
from turnwise.training.base_model import BaseModel
from turnwise.training.fine_tuning.plan import Plan, Training
from turnwise.training.fine_tuning.settings import PROFILES, Profile
from turnwise.training.fine_tuning.training import Checked, check, check_room, train
from turnwise.training.memory import gigabytes
from turnwise.training.processes import rank_of

STOPPED = 75  # told to stop: a checkpoint is saved, and the same line goes on


class _Arguments(LocalArguments):
    device: Literal["", "cpu", "cuda"] = ""


@dataclass(frozen=True, slots=True)
class Trained:
    """What to print of a training, and the exit status."""

    text: str
    status: int = 0


def rft_command(data: Path, options: RftOptions, *, environ: dict[str, str], arguments: Sequence[str] = ()) -> Trained:
    """Train, or say what training would take; raises TurnwiseError for what the user got wrong.

    SIGUSR2 ends it after the step at hand, with a checkpoint.
    """
    told: list[int] = []
    before = signal.signal(signal.SIGUSR2, lambda number, _: told.append(number))
    try:
        line = shlex.join(["turnwise", *arguments])
        return fine_tune(data, options, command=line, environ=environ, stop=lambda: bool(told))
    finally:
        signal.signal(signal.SIGUSR2, before)


def fine_tune(
    data: Path, options: RftOptions, *, command: str, environ: dict[str, str], stop: Callable[[], bool]
) -> Trained:
    """Train until the last step, or until ``stop`` says so and a checkpoint is saved; ``command`` is recorded."""
    plan = _plan(data, options, command=command, environ=environ)
    if plan.is_done and not options.dry_run:
        return Trained(f"{_done(plan)} already; nothing was changed.")
    checked = check(plan) if plan.is_main else None
    lines = describe(plan, checked) if checked is not None else []
    if options.dry_run:
        return Trained("\n".join(lines))
    if checked is not None:
        check_room(plan, checked)
        print("\n".join(lines), flush=True)
    with show_progress() as on_progress:
        is_done = train(plan, checked, stop=stop, on_progress=on_progress)
    if is_done:
        return Trained(f"{_done(plan)}; ask it with: turnwise run -M hf -a {shlex.quote(f'model={plan.checkpoint}')}")
    return Trained(f"Stopped after step {plan.latest} of {plan.settings.steps}: run the same line to go on.", STOPPED)


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """What a training will be that runs elsewhere: a line a matter, its steps, the models that it loads by name."""

    lines: Sequence[str]
    steps: int
    models: Sequence[tuple[str, str | None]]


def plan_job(data: Path, options: RftOptions, *, command: str, environ: dict[str, str], processes: int) -> PlannedJob:
    """Return what a training of so many processes on another machine will be, checked but for that one's devices.

    Raises TurnwiseError for what the user got wrong.
    """
    plan = _plan(data, options, command=command, environ={**environ, "WORLD_SIZE": str(processes), "RANK": "0"})
    checked = check(plan, is_here=False)
    if not plan.is_done:
        check_room(plan, checked)
    base = plan.training.model
    names = dict.fromkeys((base.name, plan.training.tokenizer or base.name))
    return PlannedJob(describe(plan, checked), plan.settings.steps, [(name, base.revision or None) for name in names])


def train_job(
    data: Path, options: RftOptions, *, command: str, environ: dict[str, str], stop: Callable[[], bool]
) -> int:
    """Train in a job; return the exit status. Of several processes the main one says what is to be said."""
    is_main = not rank_of(environ)
    try:
        trained = fine_tune(data, options, command=command, environ=environ, stop=stop)
    except TurnwiseError as error:
        if is_main or isinstance(error, InfrastructureError):  # of this process's own device
            raise
        return error.exit_status
    if is_main:
        print(trained.text, flush=True)
    return trained.status


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
    given_arguments = validated(_Arguments, parse_pairs(options.model_args, "--model_args"), "--model_args")
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
    if dtype != "auto":
        if options.dtype is not None and options.dtype != dtype:
            raise TurnwiseError(f"--dtype is {options.dtype.value}, and -a dtype= is {dtype}: give one of them.")
        if dtype not in list(TrainingType):
            raise TurnwiseError(f"-a dtype= is {dtype!r}: give one of {', '.join(TrainingType)}.")
    profile = PROFILES[options.profile]
    typed: dict[str, Any] = options.given() | ({"dtype": dtype} if dtype != "auto" else {})
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


def _done(plan: Plan) -> str:
    return f"The model is trained: {plan.checkpoint}"
