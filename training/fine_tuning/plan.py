"""What a fine-tuning is of: its data, its model, its settings, and the folder that it writes.

Made of what is cheap to know: the report on the data, and the model's digest. Neither rows nor weights are read.
"""

import importlib.metadata
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import turnwise
from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.files import inside, read_whole
from turnwise.records.codec import to_json
from turnwise.records.training import (
    REPORT,
    TRAINING,
    BaseModelRecord,
    DataFile,
    DataReport,
    FineTuningRecord,
    FineTuningSettings,
    TrainedModel,
    read_fine_tuning,
    read_report,
)
from turnwise.training.base_model import BaseModel
from turnwise.training.fine_tuning.settings import Profile, check_settings, rows_per_step, with_epochs
from turnwise.training.fine_tuning.token_file import tokens_of
from turnwise.training.processes import process_number, rank_of
from turnwise.training.training_folder import CHECKPOINT_NAME, TrainingPlan, check_equal, versions_of

LOG, ROWS = "log.jsonl", "rows.arrow"
_PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate")
_LARGEST = 2**26  # bytes, of a report


@dataclass(frozen=True, slots=True)
class Training:
    """A fine-tuning that is asked for: its data, its model, its settings, and the folder to write.

    ``device`` is cpu or cuda; "" takes an accelerator where there is one.
    """

    data: Path
    output: Path
    model: BaseModel
    profile: Profile
    tokenizer: str = ""
    device: str = ""
    command: str = ""

    def plan(self, environ: Mapping[str, str]) -> "Plan":
        """Return what it is of; raises TurnwiseError for data, settings or a model that cannot be."""
        report = read_report(self.data)
        file = tokens_of(report, self.data)
        settings = self.profile.settings
        processes = max(1, process_number(environ, "WORLD_SIZE", default=1))
        check_settings(settings)
        rows_a_step = rows_per_step(settings, rows=file.rows, tokens=file.tokens, processes=processes)
        if self.profile.epochs is not None:
            at_a_time = settings.rows_per_device * processes  # an epoch is no more than all rows, however few they are
            rows_a_step = min(rows_a_step, -(-file.rows // at_a_time) * at_a_time)
            settings = with_epochs(settings, self.profile.epochs, rows=file.rows, rows_a_step=rows_a_step)
        for package in ("trl", "peft"):
            if importlib.util.find_spec(package) is None:
                raise MissingExtraError("turnwise rft", package, "train")
        rank = rank_of(environ)
        record = FineTuningRecord(
            turnwise=turnwise.__version__,
            command=self.command,
            settings=settings,
            model=self.model.record() if rank == 0 else BaseModelRecord(self.model.name, ""),
            data_sha256=sha256(read_whole(inside(self.data, REPORT), limit=_LARGEST)).hexdigest(),
            rows_per_step=rows_a_step,
            versions=versions_of(_PACKAGES),
        )
        return Plan(self, report, file, record, processes, rank, dict(environ))


@dataclass(frozen=True)
class Plan(TrainingPlan):
    """A fine-tuning as it will be: ``processes`` of which this is number ``rank``.

    Only the main process knows the digest of the model, which takes reading it whole.
    """

    training: Training
    report: DataReport
    file: DataFile
    record: FineTuningRecord
    processes: int = 1
    rank: int = 0
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> FineTuningSettings:
        """The settings, their steps known."""
        return self.record.settings

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return self.settings.steps

    @property
    def micro_batches(self) -> int:
        """How many times a device takes ``rows_per_device`` rows in a step."""
        return self.record.rows_per_step // (self.settings.rows_per_device * self.processes)

    @property
    def epochs(self) -> float:
        """How many times each row is learnt, on average."""
        return self.settings.steps * self.record.rows_per_step / self.file.rows

    @property
    def train_on_test(self) -> tuple[str, ...]:
        """The test tasks that the model learns from: here, as what it begins with, or by the models that answered."""
        earlier = self.before.train_on_test if self.before is not None else ()
        answered = ",".join(run.model.get("trained_on_test", "") for run in self.report.runs).split(",")
        tasks = (*earlier, *filter(None, answered), *self.report.settings.train_on_test)
        return tuple(dict.fromkeys(tasks))

    def trained_model(self, step: int) -> TrainedModel:
        """Return what the model says of itself after ``step``."""
        return TrainedModel(
            turnwise=self.record.turnwise,
            method="rft",
            base_model=self.record.model.name,
            data_sha256=self.record.data_sha256,
            tasks=tuple(dict.fromkeys((*(self.before.tasks if self.before else ()), *self.report.tasks))),
            train_on_test=self.train_on_test,
            settings=self.settings,
            step=step,
            command=self.record.command,
        )

    def check_same(self) -> None:
        """Raise TurnwiseError if the folder holds another training, or what is in the way of this one."""
        if not self.is_done:
            self._check_free()
        frozen = read_fine_tuning(self.output)
        if frozen is None:
            if (other := next(iter(sorted(self.output.glob("checkpoint*"))), None)) is not None:
                raise TurnwiseError(
                    f"The folder {str(self.output)!r} holds {other.name!r} of another training, and no rft.json: give "
                    "another --output_path."
                )
            if (self.output / "config.json").exists():  # a record in it would change the model's digest
                raise TurnwiseError(f"The folder {str(self.output)!r} holds a model: give another --output_path.")
            return
        there, here = _compared(frozen), _compared(self.record)
        if frozen.model.digest == self.record.model.digest:  # the same one by another path
            there["model"] = here["model"]
        check_equal(self.output, there, here)

    def _check_free(self) -> None:
        """Raise TurnwiseError for files of somebody's where checkpoints and the model are to be."""
        for path in sorted(self.output.glob("*checkpoint*")):
            is_model = path.name in (self.checkpoint.name, f".{self.checkpoint.name}")
            is_ours = is_model or CHECKPOINT_NAME.fullmatch(path.name) is not None
            if is_ours and (not path.is_dir() or (is_model and path.is_symlink())):
                raise TurnwiseError(
                    f"{str(path)!r} is no folder, and a model is to be written there: remove it, or give another "
                    "--output_path."
                )
        if self.checkpoint.is_dir() and (first := next(self.checkpoint.iterdir(), None)) is not None:
            raise TurnwiseError(
                f"The folder {str(self.checkpoint)!r} holds {first.name!r} and no {TRAINING}, and the model is to be "
                "written there: remove it, or give another --output_path."
            )


def _compared(record: FineTuningRecord) -> dict[str, object]:
    data = to_json(record)
    return {name: data[name] for name in ("settings", "model", "data_sha256", "rows_per_step")}
