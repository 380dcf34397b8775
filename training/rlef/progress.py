"""How far a reinforcement learning is, from the files of its folder alone: its log, its checkpoints, its model."""

import math
from dataclasses import dataclass
from pathlib import Path

from turnwise.records.rlef import LoggedIteration, read_iterations
from turnwise.records.training import checkpoints_in
from turnwise.training.training_folder import Progress, holds_model

_RECENT = 20  # iterations by which the rate is measured


@dataclass(frozen=True, slots=True)
class RlefProgress(Progress):
    """How far a reinforcement learning is, with the share that its latest iteration solved (None before the first)."""

    solved: float | None


def read_rlef_progress(folder: Path, iterations: int) -> RlefProgress:
    """Return how far the training of so many iterations in ``folder`` is."""
    logged = [line for line in read_iterations(folder) if _can_be(line, iterations)][-_RECENT:]
    last = logged[-1] if logged else None
    return RlefProgress(
        last.iteration if last else 0,
        iterations,
        sum(line.seconds.total for line in logged) / len(logged) if logged else None,
        tuple(checkpoints_in(folder)),
        holds_model(folder),
        solved=last.rollouts.solved if last else None,
    )


def _can_be(line: LoggedIteration, iterations: int) -> bool:
    """Return whether a line is of a training of so many iterations; the folder may be somebody else's."""
    seconds = line.seconds.total
    return 0 < line.iteration <= iterations and seconds >= 0 and math.isfinite(seconds + (line.rollouts.solved or 0.0))
