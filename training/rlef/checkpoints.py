"""Checkpoints: what training goes on from, whole or not there, each of them a model that can be asked.

    OUT/checkpoint-N/             the policy after N iterations, as transformers has models, and its tokenizer
    OUT/checkpoint-N/state.pt     what is trained, in the type it is trained in; the optimizers; the number of updates
    OUT/checkpoint-N/sha256       the digests of the weights and of the state, as sha256sum writes them
    OUT/checkpoint-N/training.json  written last: the mark of a whole one
    OUT/checkpoint/               the policy of the end

One is written under another name and renamed. Of older ones the last two stay, and the best by evaluation. Torch is
imported inside functions.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.files import sync_folder, write_synced
from turnwise.records.training import (
    TRAINING,
    TrainedModel,
    checkpoints_in,
    read_trained_model,
    write_trained_model,
)
from turnwise.texts import printable

STATE, SUMS = "state.pt", "sha256"
KEPT = 2
_LINE = re.compile("([0-9a-f]{64})  ([^/\n]+)")
_PIECE = 2**22


def save_checkpoint(
    output: Path, iteration: int, trained: TrainedModel, *, networks: Any, updater: Any, tokenizer: Any
) -> None:
    """Write OUT/checkpoint-N, in place of one that is there; raises InfrastructureError where there is no room."""
    import torch

    folder = output / f"checkpoint-{iteration}"
    with _writing(folder) as temporary:
        networks.save_policy(temporary)
        tokenizer.save_pretrained(temporary)
        state = {"iteration": iteration, "networks": networks.state(), "updater": updater.state()}
        torch.save(state, temporary / STATE)
        names = sorted(path.name for path in temporary.iterdir() if path.suffix in (".safetensors", ".pt"))
        sums = "".join(f"{_sha256(temporary / name)}  {name}\n" for name in names)
        write_synced(temporary / SUMS, sums.encode())
        _finish(temporary, folder, trained)


def load_checkpoint(output: Path, iteration: int, *, networks: Any, updater: Any) -> None:
    """Go on from OUT/checkpoint-N; raises TurnwiseError for one that is damaged."""
    import torch

    folder = output / f"checkpoint-{iteration}"
    try:
        _check_sums(folder)
        state = torch.load(folder / STATE, map_location="cpu", weights_only=True)
        if state["iteration"] != iteration:
            raise ValueError(f"it is of iteration {state['iteration']}")
        networks.load_state(state["networks"])
        updater.load_state(state["updater"])
    except Exception as error:  # torch has no type of error for a damaged file
        if isinstance(error, MemoryError | torch.OutOfMemoryError | TurnwiseError):
            raise
        raise _unreadable(folder, error) from None


def export_model(output: Path, iteration: int, checkpoint: Path, trained: TrainedModel) -> None:
    """Make the folder ``checkpoint`` of the policy in OUT/checkpoint-N; raises TurnwiseError if that is damaged."""
    folder = output / f"checkpoint-{iteration}"
    try:
        _check_sums(folder)
        saved = read_trained_model(folder)
        if saved is not None and saved.step != iteration:
            raise ValueError(f"it is of iteration {saved.step}")
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from None
    with _writing(checkpoint) as temporary:
        for path in sorted(folder.iterdir()):
            if path.name not in (STATE, SUMS, TRAINING):
                shutil.copy2(path, temporary / path.name)
        _finish(temporary, checkpoint, trained)


def keep_checkpoints(output: Path, best: Collection[int]) -> None:
    """Remove all but the last checkpoints and the ``best``; the mark goes first, so that a half is known for one."""
    iterations = checkpoints_in(output)
    for iteration in iterations[:-KEPT]:
        if iteration not in best:
            folder = output / f"checkpoint-{iteration}"
            (folder / TRAINING).unlink()
            shutil.rmtree(folder)


@contextmanager
def _writing(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``folder``, to be filled and renamed."""
    temporary = folder.with_name(f".{folder.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
    except Exception as error:
        if not _is_full_disk(error):
            raise
        raise InfrastructureError(
            f"A checkpoint cannot be written to {str(folder.parent)!r} ({' '.join(str(error).split())[:200]}): make "
            "room, then run the same line again."
        ) from None


def _finish(temporary: Path, folder: Path, trained: TrainedModel) -> None:
    """Wait until all is on the disk, mark it as whole and give it its name."""
    for path in temporary.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    write_trained_model(temporary, trained)
    sync_folder(temporary)
    if folder.is_dir():  # of the same iteration, from before the training went back
        (folder / TRAINING).unlink(missing_ok=True)
        shutil.rmtree(folder)
    temporary.rename(folder)
    sync_folder(folder.parent)


def _check_sums(folder: Path) -> None:
    """Raise ValueError unless all files that are summed are those that were written."""
    lines = (folder / SUMS).read_text().splitlines()
    sums = {match[2]: match[1] for line in lines if (match := _LINE.fullmatch(line))}
    if STATE not in sums or len(sums) != len(lines):
        raise ValueError(f"{SUMS} holds no digests")
    for name, digest in sums.items():
        if _sha256(folder / name) != digest:
            raise ValueError(f"the sha256 of {name} is another")


def _unreadable(folder: Path, error: Exception) -> TurnwiseError:
    reason = printable(" ".join(str(error).split()), limit=200)
    return TurnwiseError(
        f"The checkpoint {str(folder)!r} cannot be read ({reason}): remove it, then run the same line again, which "
        "goes on from the one before."
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _is_full_disk(error: Exception) -> bool:
    """Return whether a file could not be written, which torch and safetensors say in words of their own."""
    text = str(error)
    words = ("No space left", "Disk quota", "PytorchStreamWriter", "inline_container", "file write failed")
    return any(part in text for part in words)
