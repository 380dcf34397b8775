"""The steps of a fine-tuning by TRL's SFTTrainer, and the model that is made of the last of them.

Imports torch, transformers and trl inside functions. What these print and warn of is kept from standard output.
"""

import contextlib
import errno
import json
import logging
import math
import os
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.files import inside, read_whole, sync_folder, write_atomically
from turnwise.records.choices import TrainingType
from turnwise.records.codec import from_json, reason_of, to_line
from turnwise.records.training import TRAINING, LoggedStep, checkpoints_in, write_trained_model
from turnwise.runners.logs import AppendLog
from turnwise.texts import printable
from turnwise.training.base_model import LORA_ALPHA_PER_RANK, NOT_LOADABLE
from turnwise.training.fine_tuning.plan import LOG, ROWS, Plan
from turnwise.training.fine_tuning.token_file import RowSizes, row_order
from turnwise.training.memory import is_sharded
from turnwise.training.process_group import (
    done_by_main,
    is_of_group,
    left_at_its_end,
    of_main,
    wait_for_all,
)
from turnwise.training.tokenizer import open_tokenizer

Progress = Callable[[str, int, int], None]
_NEEDED = ("optimizer.pt", "scheduler.pt", "trainer_state.json")
_KEPT = 2  # checkpoints
_FULL = (errno.ENOSPC, errno.EDQUOT)
_LARGEST_LOG = 2**30  # bytes


def run_steps(plan: Plan, sizes: RowSizes | None, *, stop: Callable[[], bool], on_progress: Progress) -> int:
    """Make the steps that are left, or those until ``stop`` says so; return the last one, which is saved.

    ``sizes`` are needed where the log is written. Several processes come to the same step.
    """
    with _quiet(), contextlib.closing(AppendLog(inside(plan.output, LOG))) as log, left_at_its_end():
        import torch
        from trl import SFTTrainer
        from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

        config = _config(plan)
        latest = of_main(plan.latest)  # which waits until the main process has written the rows
        tokenizer = _tokenizer(plan)
        order = row_order(
            plan.file.rows, needed=plan.settings.steps * plan.record.rows_per_step, seed=plan.settings.seed
        )
        dataset = _dataset(plan, order)
        watcher = _watcher(plan, log, sizes, order, stop=stop, on_progress=on_progress)
        if latest and not is_sharded(plan.environ):
            _check_complete(plan.output / f"checkpoint-{latest}")
        try:
            trainer = SFTTrainer(
                model=_model(plan),
                args=config,
                train_dataset=dataset,
                processing_class=tokenizer,
                data_collator=DataCollatorForLanguageModeling(pad_token_id=_pad_id(tokenizer)),
                peft_config=_adapters(plan),
                callbacks=[watcher],
            )
            _remove_printers(trainer)
            trainer.train(resume_from_checkpoint=str(plan.output / f"checkpoint-{latest}") if latest else None)
            return int(trainer.state.global_step)
        except torch.OutOfMemoryError:
            raise InfrastructureError(
                f"Training does not fit the accelerator's memory, {plan.settings.rows_per_device} row(s) at a time: "
                "give --lora RANK, a smaller --rows-per-device or shorter data, or larger devices."
            ) from None
        except Exception as error:
            if is_of_group(error):
                raise
            if _is_full_disk(error):
                raise InfrastructureError(
                    f"A checkpoint cannot be written to {str(plan.output)!r} ({' '.join(str(error).split())[:200]}): "
                    "make room, then run the same line again."
                ) from None
            if isinstance(error, OSError) and (error.filename is not None or error.errno in _FULL):  # of another file
                raise
            if latest and not watcher.has_begun and not isinstance(error, TurnwiseError):
                raise _unreadable(plan.output / f"checkpoint-{latest}", error) from None
            raise


def export_model(plan: Plan) -> None:
    """Make the trained model of the last checkpoint: whole weights in the type of training, adapters merged."""
    with _quiet():
        temporary = plan.output / f".{plan.checkpoint.name}"
        shutil.rmtree(temporary, ignore_errors=True)
        last = plan.output / f"checkpoint-{plan.settings.steps}"
        try:
            model = _whole_model(plan, last)
        except Exception as error:
            if isinstance(error, OSError) and error.errno is not None:  # which says what it is of
                raise
            raise _unreadable(last, error) from None
        model.save_pretrained(temporary)
        _tokenizer(plan).save_pretrained(temporary)
        for path in temporary.glob("*.safetensors"):  # which safetensors lets their owner read alone
            path.chmod((temporary / "config.json").stat().st_mode)
        _sync(temporary)
        write_trained_model(temporary, plan.trained_model(plan.settings.steps))
        temporary.rename(plan.checkpoint)
        sync_folder(plan.output)


def _whole_model(plan: Plan, checkpoint: Path) -> Any:
    import torch
    import transformers

    base, dtype = plan.training.model, getattr(torch, plan.settings.dtype)
    if plan.settings.lora_rank:
        import peft

        model = transformers.AutoModelForCausalLM.from_pretrained(base.name, dtype=torch.float32, **base.loading)
        return peft.PeftModel.from_pretrained(model, str(checkpoint)).merge_and_unload().to(dtype)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        str(checkpoint), config=base.config(), dtype=dtype, trust_remote_code=base.trust_remote_code
    )
    with contextlib.suppress(OSError):  # a model that has no settings of its own
        model.generation_config = transformers.GenerationConfig.from_pretrained(base.name)
    return model


def _config(plan: Plan) -> Any:
    from trl import SFTConfig

    settings = plan.settings
    return SFTConfig(
        output_dir=str(plan.output),
        use_cpu=plan.device == "cpu",
        bf16=settings.dtype == TrainingType.BFLOAT16,
        max_steps=settings.steps,
        per_device_train_batch_size=settings.rows_per_device,
        gradient_accumulation_steps=plan.micro_batches,
        average_tokens_across_devices=True,
        ddp_find_unused_parameters=False,  # each step uses all that is trained
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": settings.final_rate},
        warmup_steps=settings.warmup_steps,
        weight_decay=settings.weight_decay,
        gradient_checkpointing=True,
        seed=settings.seed,
        data_seed=settings.seed,
        max_length=None,
        packing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        train_sampling_strategy="sequential",
        logging_strategy="steps",
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",  # the watcher says when
        report_to=[],
        disable_tqdm=True,
    )


def _model(plan: Plan) -> Any:
    """Return the model: with adapters in the type of training, else in float32, from which autocast makes it."""
    import torch
    import transformers

    base = plan.training.model
    transformers.set_seed(plan.settings.seed)  # of adapters, which are drawn before the trainer does so
    dtype = getattr(torch, plan.settings.dtype) if plan.settings.lora_rank else torch.float32
    try:
        return transformers.AutoModelForCausalLM.from_pretrained(base.name, dtype=dtype, **base.loading)
    except torch.OutOfMemoryError:
        raise
    except NOT_LOADABLE as error:
        raise base.not_loadable(error) from None


def _adapters(plan: Plan) -> Any:
    if not plan.settings.lora_rank:
        return None
    import peft

    return peft.LoraConfig(
        r=plan.settings.lora_rank,
        lora_alpha=LORA_ALPHA_PER_RANK * plan.settings.lora_rank,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _dataset(plan: Plan, order: Any) -> Any:
    from datasets import Dataset

    path = inside(plan.output, ROWS)
    try:
        rows = Dataset.from_file(str(path))
        if len(rows) != plan.file.rows:
            raise ValueError(f"it has {len(rows):,} rows, not {plan.file.rows:,}")
        return rows.select(order, keep_in_memory=True)
    except (OSError, ValueError) as error:
        raise TurnwiseError(
            f"{str(path)!r} cannot be read ({reason_of(error)}): remove it, then run the same line again."
        ) from None


def _check_complete(checkpoint: Path) -> None:
    """Raise TurnwiseError for a checkpoint that somebody took files from: without them training would begin anew."""
    for name in _NEEDED:
        if not (checkpoint / name).is_file():
            raise _unreadable(checkpoint, FileNotFoundError(f"it lacks {name}"))


def _unreadable(checkpoint: Path, error: Exception) -> TurnwiseError:
    reason = printable(" ".join(str(error).split()), limit=200)
    return TurnwiseError(
        f"The checkpoint {str(checkpoint)!r} cannot be read ({reason}): remove it, then run the same line again, which "
        "goes on from the one before."
    )


def _tokenizer(plan: Plan) -> Any:
    training = plan.training
    return open_tokenizer(
        training.tokenizer or training.model.name,
        revision=training.model.revision,
        trust_remote_code=training.model.trust_remote_code,
    )


def _pad_id(tokenizer: Any) -> int:
    """Return what stands where a row has ended; it is neither seen nor learnt."""
    return next((one for one in (tokenizer.pad_token_id, tokenizer.eos_token_id) if one is not None), 0)


def _watcher(
    plan: Plan,
    log: AppendLog,
    sizes: RowSizes | None,
    order: Any,
    *,
    stop: Callable[[], bool],
    on_progress: Progress,
) -> Any:
    """Return the callback that says when to save and to end, marks what is whole, and writes the log."""
    from transformers import TrainerCallback

    settings = plan.settings

    class Watcher(TrainerCallback):  # type: ignore[misc]  # untyped
        """Called by the trainer, in every process."""

        def __init__(self) -> None:
            self.has_begun = False
            self.began, self.seconds_before = time.monotonic(), 0.0

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            """Begin the log, or go on in it behind the checkpoint."""
            if plan.is_main:
                self.seconds_before = _cut_log(log.path, plan.latest)
                on_progress("steps", plan.latest, settings.steps)

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            """Know that all was read that a checkpoint holds."""
            self.has_begun = True

        def on_step_end(self, _: Any, state: Any, control: Any, **__: Any) -> Any:
            """Save now and then, at the end, and where this process or another was told to stop."""
            is_last = state.global_step == settings.steps
            is_told = _any(stop())
            control.should_save = is_last or is_told or state.global_step % settings.save_steps == 0
            control.should_training_stop = is_last or is_told
            return control

        def on_log(self, _: Any, state: Any, __: Any, logs: dict[str, float], **___: Any) -> None:
            """Write a step's line; raises TurnwiseError for a loss that is no number."""
            if "loss" not in logs:  # the summary at the end
                return
            step, loss, norm = state.global_step, logs["loss"], logs.get("grad_norm", 0.0)
            for name, value in (("loss", loss), ("norm of the gradient", norm)):
                if not math.isfinite(value):
                    raise TurnwiseError(
                        f"The {name} of step {step} is {value}, so training stopped; checkpoint-{plan.latest} stands: "
                        "give a smaller --learning-rate, and another --output_path."
                        if plan.latest
                        else f"The {name} of step {step} is {value}, so training stopped: give a smaller "
                        "--learning-rate, and another --output_path."
                    )
            if sizes is not None:
                rows = order[(step - 1) * plan.record.rows_per_step : step * plan.record.rows_per_step]
                line = LoggedStep(
                    step,
                    loss,
                    logs["learning_rate"],
                    tokens=int(sizes.tokens[rows].sum()),
                    labels=int(sizes.labels[rows].sum()),
                    gradient_norm=norm,
                    seconds=round(self.seconds_before + time.monotonic() - self.began, 3),
                )
                log.write(to_line(line))
                on_progress("steps", step, settings.steps)

        def on_save(self, _: Any, state: Any, __: Any, **___: Any) -> None:
            """Mark a checkpoint as whole, once every process has written its part; remove those of long ago."""

            def mark() -> None:
                log.sync()
                folder = plan.output / f"checkpoint-{state.global_step}"
                _sync(folder)
                write_trained_model(folder, plan.trained_model(state.global_step))
                _remove_old(plan.output)

            wait_for_all()
            done_by_main(mark, is_main=plan.is_main)

    return Watcher()


def _cut_log(path: Path, step: int) -> float:
    """Leave the lines up to ``step`` in the log, each once; return the seconds that the last of them says."""
    steps: dict[int, LoggedStep] = {}
    with contextlib.suppress(FileNotFoundError):
        for line in read_whole(path, limit=_LARGEST_LOG, follow=False).splitlines():
            with contextlib.suppress(ValueError, RecursionError):  # torn
                logged = from_json(LoggedStep, json.loads(line))
                steps[logged.step] = logged
        kept = [steps[number] for number in sorted(steps) if number <= step]
        write_atomically(path, "".join(f"{to_line(logged)}\n" for logged in kept))
        return kept[-1].seconds if kept else 0.0
    return 0.0


def _remove_old(output: Path) -> None:
    """Keep the last checkpoints; the mark goes first, so that a half that a kill leaves is known for what it is."""
    for step in checkpoints_in(output)[:-_KEPT]:
        folder = output / f"checkpoint-{step}"
        (folder / TRAINING).unlink()
        shutil.rmtree(folder)


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)


def _any(is_told: bool) -> bool:
    """Return whether any process of the training was told."""
    from accelerate import PartialState
    from accelerate.utils import gather_object

    return any(gather_object([is_told])) if PartialState().num_processes > 1 else is_told


def _remove_printers(trainer: Any) -> None:
    from transformers.trainer_callback import PrinterCallback, ProgressCallback

    for callback in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(callback)
    trainer.create_model_card = lambda *_, **__: None  # a text about TRL in every checkpoint


def _is_full_disk(error: Exception) -> bool:
    """Return whether torch or safetensors say, each in words of its own, that a file could not be written."""
    text = str(error)
    return not isinstance(error, OSError) and any(
        part in text for part in ("No space left", "PytorchStreamWriter", "inline_container", "file write failed")
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what libraries print and warn of away from the user; errors are raised all the same."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            import datasets
            import transformers

            datasets.disable_progress_bars()
            transformers.utils.logging.disable_progress_bar()
            yield
    finally:
        logging.disable(logging.NOTSET)
