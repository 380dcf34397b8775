"""How far a reinforcement learning is, from the files of its folder alone: its log, its checkpoints, its model."""

import math
from dataclasses import dataclass
from pathlib import Path

from turnwise.records.rlef import LoggedIteration, read_iterations
from turnwise.records.training import TRAINING, checkpoints_in
from turnwise.training.fine_tuning.plan import MODELS

_RECENT = 20  # iterations by which the rate is measured


@dataclass(frozen=True, slots=True)
class RlefProgress:
    """The latest of ``steps`` iterations, the share of its dialogues that were solved, and the whole checkpoints.

    ``seconds_per_step`` is the mean of the latest iterations; both are None before the first. ``is_done`` says that the
    trained model is there.
    """

    step: int
    steps: int
    solved: float | None
    seconds_per_step: float | None
    checkpoints: tuple[int, ...]
    is_done: bool

    @property
    def hours_left(self) -> float | None:
        """Hours until the last iteration at the rate so far; None where none is known."""
        return None if self.seconds_per_step is None else (self.steps - self.step) * self.seconds_per_step / 3600


def read_rlef_progress(folder: Path, iterations: int) -> RlefProgress:
    """Return how far the training of so many iterations in ``folder`` is."""
    logged = [line for line in read_iterations(folder) if _can_be(line, iterations)][-_RECENT:]
    last = logged[-1] if logged else None
    return RlefProgress(
        last.iteration if last else 0,
        iterations,
        last.rollouts.solved if last else None,
        sum(line.seconds.total for line in logged) / len(logged) if logged else None,
        tuple(checkpoints_in(folder)),
        any((folder / name / TRAINING).is_file() for name in MODELS),
    )


def _can_be(line: LoggedIteration, iterations: int) -> bool:
    """Return whether a line is of a training of so many iterations; the folder may be somebody else's."""
    seconds = line.seconds.total
    return 0 < line.iteration <= iterations and seconds >= 0 and math.isfinite(seconds + (line.rollouts.solved or 0.0))
