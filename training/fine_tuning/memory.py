"""What a training takes of a device's memory and of the disk, estimated before anything is loaded.

Memory of a device, in bytes:

    states       16 a parameter that is trained: float32 weights 4, gradients 4, Adam's moments 8; 2 more in bfloat16,
                 since autocast keeps its copies of the weights through a forward pass; 4 more where each of several
                 devices holds the whole model (the buckets of gradients that they exchange);
                 besides, with adapters, the model itself: 2 a parameter (bfloat16) or 4 (float32)
    activations  with gradient checkpointing, for each token of a device's rows: 4 x hidden for each layer (what is
                 kept between layers), and for the one layer that is computed again (16 x hidden + 6 x intermediate)
                 numbers of 2 or 4 bytes
    logits       for the tokens with labels alone: 6 x vocabulary (bfloat16 and float32), of the rows with most tokens

A model that FSDP or DeepSpeed cuts over the devices has its states divided by their number. On the disk, a checkpoint
has 12 bytes for each parameter that is trained (weights and moments); there are three while one is written, and the
model that is made in the end. Fragmentation, the libraries' own buffers and the cost of communication are not in it.
"""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.records.choices import TrainingType
from turnwise.records.training import FineTuningSettings
from turnwise.runners.execution.host import inspect_host
from turnwise.training.fine_tuning.base_model import ModelShape
from turnwise.training.fine_tuning.processes import process_number
from turnwise.training.fine_tuning.token_file import BYTES_PER_TOKEN

_SHARDED = ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED")
_CHECKPOINTS = 3


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes of a device's memory, by what takes them, and of the disk.

    ``rollouts`` are those of sampling where the training does it, in turn with steps: states are held all the while.
    """

    states: int
    activations: int
    logits: int
    disk: int
    rollouts: int = 0

    @property
    def memory(self) -> int:
        """All that a device has to hold at once."""
        return self.states + max(self.activations + self.logits, self.rollouts)


def estimate(
    shape: ModelShape,
    settings: FineTuningSettings,
    *,
    longest: int,
    most_labels: int,
    tokens: int,
    processes: int = 1,
    sharded: bool = False,
) -> Estimate:
    """Return what a training takes; ``longest`` and ``most_labels`` are of one row, ``tokens`` of all rows.

    With ``sharded`` the model is cut over the ``processes``.
    """
    width = 2 if settings.dtype == TrainingType.BFLOAT16 else 4
    frozen = width * shape.parameters if shape.has_adapters else 0
    copies = 0 if settings.dtype == TrainingType.FLOAT32 else 2
    buckets = 4 if processes > 1 and not sharded else 0
    at_a_time = settings.rows_per_device * longest
    return Estimate(
        states=((16 + copies + buckets) * shape.trained + frozen) // (processes if sharded else 1),
        activations=at_a_time
        * (4 * shape.hidden * shape.layers + width * (16 * shape.hidden + 6 * shape.intermediate)),
        logits=settings.rows_per_device * most_labels * shape.vocabulary * 6,
        disk=_CHECKPOINTS * 12 * shape.trained + width * shape.parameters + BYTES_PER_TOKEN * tokens,
    )


def is_sharded(environ: Mapping[str, str]) -> bool:
    """Return whether accelerate was told to cut the model over the devices."""
    return any(environ.get(name, "").lower() in ("true", "1") for name in _SHARDED)


def device_memory(device: str, environ: Mapping[str, str]) -> int:
    """Return the bytes that a training may take of its ``device``, "cpu" or "cuda": what is free there."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(process_number(environ, "LOCAL_RANK"))[0])
    free = inspect_host(environ).memory_bytes
    with suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                free = min(free, int(line.split()[1]) * 1024)
    return free // max(1, process_number(environ, "LOCAL_WORLD_SIZE", default=1))


def free_disk(output: Path) -> int:
    """Return the bytes that are free where ``output`` lies or will be made."""
    existing = next(path for path in (output.absolute(), *output.absolute().parents) if path.exists())
    return shutil.disk_usage(existing).free


def check_fits(
    needed: Estimate,
    *,
    memory: int | None,
    disk: int,
    kept: int,
    output: Path,
    smaller: str = "a smaller --rows-per-device or shorter data",
) -> None:
    """Raise TurnwiseError where a device has less memory, or the disk less room, than is needed.

    ``kept`` bytes of those on the disk are there already. A ``memory`` that is None is not known here. ``smaller`` says
    what besides adapters takes less memory.
    """
    if memory is not None and needed.memory > memory:
        raise TurnwiseError(
            f"Training takes about {gigabytes(needed.memory)} of a device's memory, and {gigabytes(memory)} are free: "
            f"give --lora RANK, {smaller}, or more or larger devices."
        )
    if needed.disk - kept > disk:
        raise TurnwiseError(
            f"The checkpoints take about {gigabytes(needed.disk)}, and {str(output)!r} has {gigabytes(disk)} free: "
            "make room, or give another --output_path."
        )


def size_of(folder: Path) -> int:
    """Return the bytes of the files in ``folder``."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(Path(parent) / name).st_size
    return total


def gigabytes(size: int) -> str:
    """Return a number of bytes as text."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e9:.3f} GB"
