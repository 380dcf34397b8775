"""What the commands of training have in common: what they take of a model, how they are stopped, and how they end."""

import shlex
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.choices import TrainingType
from turnwise.runners.models.back_end import LocalArguments
from turnwise.training.processes import rank_of
from turnwise.training.training_folder import TrainingPlan

STOPPED = 75  # told to stop: a checkpoint is saved, and the same line goes on


class TrainingArguments(LocalArguments):
    """What --model-args give of a model to train."""

    device: Literal["", "cpu", "cuda"] = ""


@dataclass(frozen=True, slots=True)
class Trained:
    """What to print of a training, and the exit status."""

    text: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """What a training will be that runs elsewhere: a line a matter, its steps, the models that it loads by name."""

    lines: Sequence[str]
    steps: int
    models: Sequence[tuple[str, str | None]]


@contextmanager
def stopped_by_signal() -> Iterator[Callable[[], bool]]:
    """Yield what says whether SIGUSR2 has come, which ends a training after its step with a checkpoint."""
    signals: list[int] = []
    before = signal.signal(signal.SIGUSR2, lambda number, _: signals.append(number))
    try:
        yield lambda: bool(signals)
    finally:
        signal.signal(signal.SIGUSR2, before)


def typed_dtype(option: TrainingType | None, argument: str) -> dict[str, str]:
    """Return the dtype of --model-args as a setting, nothing for ``auto``; ``option`` is --dtype.

    Raises TurnwiseError where both are given and differ, or it is none for training.
    """
    if argument == "auto":
        return {}
    if option is not None and option != argument:
        raise TurnwiseError(f"--dtype is {option.value}, and -a dtype= is {argument}: give one of them.")
    if argument not in list(TrainingType):
        raise TurnwiseError(f"-a dtype= is {argument!r}: give one of {', '.join(TrainingType)}.")
    return {"dtype": argument}


def done_already(plan: TrainingPlan) -> Trained:
    """Return how a training ends that was done before."""
    return Trained(f"The model is trained: {plan.checkpoint} already; nothing was changed.")


def ended(plan: TrainingPlan, *, is_done: bool, unit: str) -> Trained:
    """Return how a training ends that is done, or was stopped after a ``unit``."""
    if is_done:
        ask = f"turnwise run -M hf -a {shlex.quote(f'model={plan.checkpoint}')}"
        return Trained(f"The model is trained: {plan.checkpoint}; ask it with: {ask}")
    return Trained(f"Stopped after {unit} {plan.latest} of {plan.steps}: run the same line to go on.", STOPPED)


def planned_job(plan: TrainingPlan, lines: Sequence[str]) -> PlannedJob:
    """Return what is planned of a job, said by ``lines``."""
    base = plan.training.model
    names = dict.fromkeys((base.name, plan.training.tokenizer or base.name))
    return PlannedJob(lines, plan.steps, [(name, base.revision or None) for name in names])


def status_in_job(train: Callable[[], Trained], environ: Mapping[str, str]) -> int:
    """Train in a job; return the exit status. Of several processes the main one says what is to be said."""
    is_main = not rank_of(environ)
    try:
        trained = train()
    except TurnwiseError as error:
        if is_main or isinstance(error, InfrastructureError):  # of this process's own device
            raise
        return error.exit_status
    if is_main:
        print(trained.text, flush=True)
    return trained.status
