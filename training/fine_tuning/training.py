"""Fine-tuning a model on rows of token ids, by TRL's SFTTrainer: planned and checked first, resumed from checkpoints.

    plan = Training(...).plan(environ)     what it is of; nothing heavy is imported
    checked = check(plan)                  rows, tokenizer, memory, disk; refused before any weight is loaded
    train(plan, checked, stop=...)         True once it is done, False when ``stop`` said so

    OUT/rft.json         what it is of (FineTuningRecord); other settings, data or models are refused
    OUT/log.jsonl        a line for each step
    OUT/checkpoint-N     what training goes on from; whole once it holds training.json, written last
    OUT/checkpoint       the model; checkpoint-trained-on-test where the data hold tests
    OUT/rows.arrow       the rows, until it is done

A step's rows are those of a seeded order, however many devices and micro-batches it is cut into, and its loss is the
mean over all their tokens with labels. Does not choose data, nor sample from models.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.records.training import read_fine_tuning, write_fine_tuning
from turnwise.texts import printable, shown
from turnwise.training.base_model import ModelShape
from turnwise.training.fine_tuning.loop import Progress, export_model, run_steps
from turnwise.training.fine_tuning.memory import estimate
from turnwise.training.fine_tuning.plan import ROWS, Plan
from turnwise.training.fine_tuning.token_file import RowSizes, check_rows, write_rows
from turnwise.training.memory import Estimate, check_fits, device_memory, free_disk, is_sharded, size_of
from turnwise.training.processes import check_processes
from turnwise.training.tokenizer import open_tokenizer, tokenizer_record
from turnwise.training.training_folder import lock_folder, remove_halves

MOST_EPOCHS = 1000
_LOCK = "rft.lock"
_HALF_ROWS = re.compile(rf"\.{re.escape(ROWS)}\.[0-9]+\.tmp")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of a plan's rows, model and machine; ``memory`` is None where another machine is to train."""

    sizes: RowSizes
    shape: ModelShape
    estimate: Estimate
    memory: int | None
    disk: int

    @property
    def longest(self) -> int:
        """The tokens of the longest row."""
        return int(self.sizes.tokens.max())


def check(plan: Plan, *, is_here: bool = True) -> Checked:
    """Return what was found; raises TurnwiseError for rows, a tokenizer, memory or a disk that will not do.

    Accelerators and memory are asked for only where it ``is_here`` that the training will be.
    """
    training, settings = plan.training, plan.settings
    if plan.epochs > MOST_EPOCHS:
        raise TurnwiseError(
            f"{settings.steps:,} steps of {plan.record.rows_per_step:,} dialogues are {plan.epochs:,.0f} epochs of the "
            f"{plan.file.rows:,} that there are: give a smaller --tokens-per-step, and fewer --steps or --epochs."
        )
    if settings.steps == 1 and settings.warmup_steps:
        raise TurnwiseError(
            f"There is 1 step, and the first of {settings.warmup_steps:,} warm-up steps has the rate 0, so that "
            "nothing would be learnt: give --warmup-steps 0, or more steps by a smaller --tokens-per-step."
        )
    if is_here:
        check_processes(plan.environ)
        _check_device(plan)
    sizes = check_rows(training.data, plan.file)
    longest = int(sizes.tokens.max())
    if longest > settings.max_length:
        raise TurnwiseError(
            f"The longest dialogue of {str(training.data)!r} has {longest:,} tokens, above --max-length "
            f"{settings.max_length:,}, and none is cut: make the data again with that --max-length, or give more here."
        )
    _check_tokenizer(plan)
    training.model.check_weights()
    shape = training.model.shape(lora_rank=settings.lora_rank)
    if sizes.largest_id >= shape.vocabulary:
        raise TurnwiseError(
            f"The model {training.model.name!r} knows {shape.vocabulary:,} tokens, and the data have token "
            f"{sizes.largest_id:,}: name the model that they were made for."
        )
    if shape.context is not None and longest > shape.context:
        raise TurnwiseError(
            f"The model {training.model.name!r} reads {shape.context:,} tokens, and the longest dialogue has "
            f"{longest:,}: make the data again with --max-length {shape.context}."
        )
    needed = estimate(
        shape,
        settings,
        longest=longest,
        most_labels=int(sizes.labels.max()),
        tokens=plan.file.tokens,
        processes=plan.processes,
        sharded=is_sharded(plan.environ),
    )
    memory = device_memory(plan.device, plan.environ) if is_here else None
    return Checked(sizes, shape, needed, memory, free_disk(plan.output))


def check_room(plan: Plan, checked: Checked) -> None:
    """Raise TurnwiseError where memory or disk are too little."""
    kept = size_of(plan.output) if plan.output.is_dir() else 0
    check_fits(checked.estimate, memory=checked.memory, disk=checked.disk, kept=kept, output=plan.output)


def train(
    plan: Plan, checked: Checked | None, *, stop: Callable[[], bool] = lambda: False, on_progress: Progress
) -> bool:
    """Train from the last whole checkpoint on; return whether the model is done, False once ``stop`` said so.

    ``stop`` is asked after each step: then a checkpoint is saved, and this returns. Every process of a training calls
    it, with ``checked`` in the main one alone.

    Raises TurnwiseError if the loss is no number, or another process trains in the folder.
    """
    if not plan.is_main:
        return run_steps(plan, None, stop=stop, on_progress=on_progress) == plan.settings.steps
    plan.output.mkdir(parents=True, exist_ok=True)
    lock = lock_folder(plan.output, _LOCK)
    try:
        plan.check_same()
        if read_fine_tuning(plan.output) is None:
            write_fine_tuning(plan.output, plan.record)
        _remove_halves(plan.output)
        rows = plan.output / ROWS
        if plan.latest < plan.settings.steps or plan.processes > 1:  # of several, the others do not look
            if not rows.is_file():
                write_rows(plan.training.data, rows)
            sizes = None if checked is None else checked.sizes
            if run_steps(plan, sizes, stop=stop, on_progress=on_progress) < plan.settings.steps:
                return False
        export_model(plan)
        rows.unlink(missing_ok=True)
        return True
    finally:
        lock.release()


def _check_device(plan: Plan) -> None:
    """Raise TurnwiseError for an accelerator that is not there, and for several where one process trains."""
    if plan.device != "cuda":
        return
    import torch

    if not (count := torch.cuda.device_count()):
        raise TurnwiseError("-a device=cuda, and no accelerator is here: give device=cpu, or go where there is one.")
    if count > 1 and "RANK" not in plan.environ:
        raise TurnwiseError(
            f"{count} accelerators are here: train with all by accelerate launch --num_processes {count} -m turnwise "
            "rft ..., or choose one by CUDA_VISIBLE_DEVICES=0."
        )


def _check_tokenizer(plan: Plan) -> None:
    training = plan.training
    name = training.tokenizer or training.model.name
    tokenizer = open_tokenizer(
        name, revision=training.model.revision, trust_remote_code=training.model.trust_remote_code
    )
    theirs, here = plan.report.tokenizer, tokenizer_record(tokenizer, name)
    if theirs is not None and theirs.sha256 != here.sha256:
        raise TurnwiseError(
            f"The data were made with the tokenizer {shown(theirs.name, limit=200)} "
            f"({printable(theirs.sha256, limit=12)}), and that of the model is {name!r} ({here.sha256[:12]}): name "
            f"that model, or make the data again with --tokenizer {name}."
        )


def _remove_halves(output: Path) -> None:
    """Remove what a kill left of checkpoints, models and rows that were being written."""
    remove_halves(output)
    for path in output.iterdir():
        if _HALF_ROWS.fullmatch(path.name) and path.is_file():
            path.unlink()
