"""What a training takes of a device's memory and of the disk, beside what is there: of every method.

The estimates themselves are those of fine_tuning/memory.py and rlef/memory.py.
"""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.runners.execution.host import inspect_host
from turnwise.training.processes import process_number

_SHARDED = ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED")


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
