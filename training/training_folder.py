"""The folder that a training of any method writes: whose it is, how far it is, and what a kill left in it.

    OUT/checkpoint-N          what training goes on from; whole once it holds training.json
    OUT/checkpoint            the model; checkpoint-trained-on-test where it has learnt tests

What a training is of stands in its plan, which is a TrainingPlan: fine_tuning/plan.py, rlef/plan.py.
"""

import importlib.metadata
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from turnwise.benchmarks.differences import differences
from turnwise.errors import TurnwiseError
from turnwise.files import inside
from turnwise.locks import Lock
from turnwise.records.training import TRAINING, TrainedModel, checkpoints_in, read_trained_model
from turnwise.training.base_model import BaseModel

MODELS = _CHECKPOINT, _ON_TEST = ("checkpoint", "checkpoint-trained-on-test")
CHECKPOINT_NAME = re.compile("checkpoint-[0-9]{1,9}")


class AskedTraining(Protocol):
    """A training that is asked for."""

    @property
    def output(self) -> Path:
        """The folder to write."""
        ...

    @property
    def model(self) -> BaseModel:
        """The model that it begins with."""
        ...

    @property
    def tokenizer(self) -> str:
        """The model's tokenizer, where that is not its own."""
        ...

    @property
    def device(self) -> str:
        """Cpu or cuda; "" takes an accelerator where there is one."""
        ...


class TrainingPlan:
    """A training as it will be, of which this is process number ``rank``."""

    training: AskedTraining
    rank: int

    @property
    def steps(self) -> int:
        """How many steps, or iterations, it has."""
        raise NotImplementedError

    @property
    def train_on_test(self) -> tuple[str, ...]:
        """The test tasks that the model learns from."""
        raise NotImplementedError

    @property
    def output(self) -> Path:
        """The folder that is written."""
        return self.training.output

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that writes records and prints."""
        return self.rank == 0

    @property
    def checkpoint(self) -> Path:
        """The folder of the trained model."""
        return self.output / (_ON_TEST if self.train_on_test else _CHECKPOINT)

    @property
    def is_done(self) -> bool:
        """Whether the trained model is there."""
        return (self.checkpoint / TRAINING).is_file()

    @property
    def device(self) -> str:
        """Where it trains: cpu or cuda."""
        if self.training.device:
            return self.training.device
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"

    @property
    def latest(self) -> int:
        """The step, or iteration, of the last whole checkpoint, 0 for none."""
        return max((step for step in checkpoints_in(self.output) if step <= self.steps), default=0)

    @cached_property
    def before(self) -> TrainedModel | None:
        """What the model that it begins with says of its own training."""
        return read_trained_model(Path(self.training.model.name))


@dataclass(frozen=True, slots=True)
class Progress:
    """The latest step, or iteration, of ``steps``, and the whole checkpoints.

    ``seconds_per_step`` is that of the latest ones, None where none is known. ``is_done`` says that the trained model
    is there.
    """

    step: int
    steps: int
    seconds_per_step: float | None
    checkpoints: tuple[int, ...]
    is_done: bool

    @property
    def hours_left(self) -> float | None:
        """Hours until the last step at the rate so far; None where none is known."""
        return None if self.seconds_per_step is None else (self.steps - self.step) * self.seconds_per_step / 3600


def holds_model(folder: Path) -> bool:
    """Return whether the trained model is in a training's folder."""
    return any((folder / name / TRAINING).is_file() for name in MODELS)


def check_equal(output: Path, there: Mapping[str, object], here: Mapping[str, object]) -> None:
    """Raise TurnwiseError, naming the first difference, where a training that is ``there`` is another than ``here``."""
    if (first := next(differences(there, here), None)) is not None:
        raise TurnwiseError(
            f"The folder {str(output)!r} holds another training ({first.place}: {first.values()[0]} there, "
            f"{first.values()[1]} here): give another --output_path, or remove the folder."
        )


def lock_folder(output: Path, name: str) -> Lock:
    """Return the lock ``name`` in a training's folder; raises TurnwiseError where another process has it."""
    try:
        return Lock(inside(output, name))
    except BlockingIOError:
        raise TurnwiseError(
            f"Another process trains in the folder {str(output)!r}: wait until it ends, or stop it."
        ) from None


def remove_halves(output: Path) -> None:
    """Remove what a kill left of checkpoints and models that were being written or removed."""
    for path in output.iterdir():
        is_half = CHECKPOINT_NAME.fullmatch(path.name) is not None and not (path / TRAINING).is_file()
        if path.is_dir() and not path.is_symlink() and (is_half or path.name.startswith(".checkpoint")):
            shutil.rmtree(path)


def versions_of(packages: Sequence[str]) -> dict[str, str]:
    """Return the versions of those ``packages`` that are installed."""
    versions = {}
    for package in packages:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions
