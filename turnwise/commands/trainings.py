"""The trainings that can be a job, by the name of their method: what a submission keeps of each, and how it is trained.

What is alike in all of them (freezing, submitting, going on, status) is in submit_training.py, training_worker.py and
training_status.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, Self

from turnwise.commands.inputs import named_inputs, with_absolute_paths, with_inputs
from turnwise.commands.rft import plan_job, train_job
from turnwise.commands.rlef import plan_rlef_job, train_rlef_job
from turnwise.commands.trained import PlannedJob
from turnwise.commands.training_options import RftJobOptions, RlefJobOptions
from turnwise.errors import TurnwiseError
from turnwise.files import inside, read_whole
from turnwise.records.choices import ClusterKind
from turnwise.records.codec import from_json, reason_of
from turnwise.records.training import REPORT
from turnwise.slurm.submission import RFT, RLEF, Submission

DATA = "data"


@dataclass(frozen=True, slots=True)
class FrozenTraining:
    """What a submission keeps of a training: the options of its command, and the line as it was typed."""

    method: ClassVar[str] = ""

    options: RftJobOptions | RlefJobOptions
    command: str

    @property
    def output(self) -> Path:
        """The folder that it writes."""
        return self.options.output

    def at(self, output: Path, *, cluster: ClusterKind | None, force: bool) -> Self:
        """Return it to be written to ``output`` by a job; ``cluster`` None leaves where that is."""
        kept = cluster or self.options.cluster
        return replace(self, options=replace(self.options, output_path=output, cluster=kept, force=force))

    def digest(self) -> str:
        """Return the digest of data that it is made of, "" where its own folder tells them; TurnwiseError for none."""
        return ""

    def check_data(self, digest: str) -> None:
        """Raise TurnwiseError for data of another digest than they had at submission."""

    def absolute(self) -> Self:
        """Return it with paths that mean the same in its job."""
        raise NotImplementedError

    def inputs(self) -> dict[str, Path]:
        """Return by name the files and folders that are copied."""
        raise NotImplementedError

    def with_inputs(self, paths: Mapping[str, Path]) -> Self:
        """Return it with ``paths`` in place of what it names."""
        raise NotImplementedError

    def plan(self, *, environ: dict[str, str], processes: int) -> PlannedJob:
        """Return what so many processes elsewhere will train; raises TurnwiseError for what the user got wrong."""
        raise NotImplementedError

    def train(self, *, environ: dict[str, str], stop: Callable[[], bool]) -> int:
        """Train in a job to its end, or until ``stop`` says so and a checkpoint is saved; return the exit status."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class RftTraining(FrozenTraining):
    """A fine-tuning, with the folder of its data."""

    method: ClassVar[str] = RFT

    options: RftJobOptions
    data: Path

    def digest(self) -> str:
        """Return the digest of the report of its data."""
        try:
            return sha256(read_whole(inside(self.data, REPORT), limit=2**26)).hexdigest()
        except OSError as error:
            raise TurnwiseError(
                f"The training data {str(self.data)!r} cannot be read ({reason_of(error)}): restore them."
            ) from None

    def check_data(self, digest: str) -> None:
        """Raise TurnwiseError for data whose report has another digest."""
        current = self.digest()
        if current != digest:
            raise TurnwiseError(
                f"The training data {str(self.data)!r} are others than those that were submitted (the sha256 of "
                f"{REPORT} was {digest[:12]} and is {current[:12]}): restore them."
            )

    def absolute(self) -> Self:
        """Return it with absolute folders; raises TurnwiseError where it would be written into its data."""
        output = self.output.absolute()
        if self.data.resolve() in (output.resolve(), *output.resolve().parents):
            raise TurnwiseError(
                f"The training would be written to {str(output)!r}, inside of its data {str(self.data)!r}: give "
                "another --output_path."
            )
        return replace(self, data=self.data.absolute(), options=replace(self.options, output_path=output))

    def inputs(self) -> dict[str, Path]:
        """Return the folder of its data."""
        return {DATA: self.data}

    def with_inputs(self, paths: Mapping[str, Path]) -> Self:
        """Return it with a copy of its data."""
        return replace(self, data=paths.get(DATA, self.data))

    def plan(self, *, environ: dict[str, str], processes: int) -> PlannedJob:
        """Return what it will be."""
        return plan_job(self.data, self.options, command=self.command, environ=environ, processes=processes)

    def train(self, *, environ: dict[str, str], stop: Callable[[], bool]) -> int:
        """Train on its data."""
        return train_job(self.data, self.options, command=self.command, environ=environ, stop=stop)


@dataclass(frozen=True, slots=True)
class RlefTraining(FrozenTraining):
    """A reinforcement learning; what it was begun with, data included, stands in its rlef.json."""

    method: ClassVar[str] = RLEF

    options: RlefJobOptions

    def absolute(self) -> Self:
        """Return it with absolute paths in its options; raises TurnwiseError where another trainer is to train."""
        if self.options.engine is not None:
            raise TurnwiseError(
                f"--engine {self.options.engine} writes files for another trainer, its batch script among them: leave "
                "out --cluster."
            )
        return replace(self, options=with_absolute_paths(self.options))

    def inputs(self) -> dict[str, Path]:
        """Return the benchmark, prompts, programs, strategy and checkers that its options name."""
        return named_inputs(self.options)

    def with_inputs(self, paths: Mapping[str, Path]) -> Self:
        """Return it with copies of these."""
        return replace(self, options=with_inputs(self.options, paths))

    def plan(self, *, environ: dict[str, str], processes: int) -> PlannedJob:
        """Return what it will be; its steps are iterations."""
        return plan_rlef_job(self.options, command=self.command, environ=environ, processes=processes)

    def train(self, *, environ: dict[str, str], stop: Callable[[], bool]) -> int:
        """Train by dialogues."""
        return train_rlef_job(self.options, command=self.command, environ=environ, stop=stop)


METHODS: Mapping[str, type[FrozenTraining]] = {training.method: training for training in (RftTraining, RlefTraining)}


def read_training(submission: Submission) -> FrozenTraining:
    """Return what a submission keeps of a training; raises TurnwiseError for anything else."""
    try:
        return from_json(METHODS[submission.record.method], submission.record.options)
    except (KeyError, ValueError) as error:
        raise TurnwiseError(
            f"The options in its submission.json cannot be read ({reason_of(error)}): submit the training again."
        ) from None
