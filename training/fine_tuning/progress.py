"""How far a training is, from the files of its folder alone: its log of steps, its checkpoints, its model."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from turnwise.files import inside, read_whole
from turnwise.records.codec import from_json
from turnwise.records.training import LoggedStep, checkpoints_in
from turnwise.training.fine_tuning.plan import LOG
from turnwise.training.training_folder import Progress, holds_model

_LARGEST = 2**28  # bytes, of a log
_RECENT = 20  # steps by which the rate is measured


@dataclass(frozen=True, slots=True)
class FineTuningProgress(Progress):
    """How far a fine-tuning is, with the loss of its latest step (None before the first).

    ``tokens_per_second`` is that of the latest steps, None before the second.
    """

    loss: float | None
    tokens_per_second: float | None


def read_progress(folder: Path, steps: int) -> FineTuningProgress:
    """Return how far the training of so many steps in ``folder`` is."""
    logged = [line for line in _read_log(folder) if _can_be(line, steps)][-_RECENT:]
    last = logged[-1] if logged else None
    tokens = sum(line.tokens for line in logged[1:])
    seconds = logged[-1].seconds - logged[0].seconds if logged else 0.0
    return FineTuningProgress(
        last.step if last else 0,
        steps,
        seconds / (len(logged) - 1) if len(logged) > 1 else None,
        tuple(checkpoints_in(folder)),
        holds_model(folder),
        loss=last.loss if last else None,
        tokens_per_second=tokens / seconds if seconds > 0 else None,
    )


def _can_be(line: LoggedStep, steps: int) -> bool:
    """Return whether a line is of a training of so many steps; the folder may be somebody else's."""
    return 0 < line.step <= steps and 0 <= line.tokens < 2**63 and math.isfinite(line.loss + line.seconds)


def _read_log(folder: Path) -> Iterator[LoggedStep]:
    """Yield the lines of the log, without those that are torn."""
    try:
        lines = read_whole(inside(folder, LOG), limit=_LARGEST, follow=False).splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            yield from_json(LoggedStep, json.loads(line))
        except (ValueError, RecursionError):
            continue
