"""OUT/training.html: read what a training has logged and how it was evaluated, and write its page.

>>> page = TrainingPage(output)
>>> page.rewrite()          # after each iteration: at most a twentieth of the time goes into it
>>> page.write()            # in the end
"""

import json
import math
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.files import inside, read_whole, write_atomically
from turnwise.leaderboard.page.training import training_page
from turnwise.leaderboard.page.training_curves import Evaluation
from turnwise.records.metrics import NAtK
from turnwise.records.rlef import EVALUATIONS, PAGE, RLEF, read_iterations, read_rlef

_LARGEST = 2**26  # bytes, of a scores.json
_MOST_FOLDERS = 10_000
_SHARE = 0.05  # of the time, that may go into drawing
_MOST_COUNTED = 2**40
_EVALUATION = re.compile("([0-9]{1,9})(?:[._-][A-Za-z0-9_.+=-]{1,100})?")


class TrainingPage:
    """The page of the training in a folder, written again while it goes on."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._free_at = -math.inf

    def rewrite(self) -> bool:
        """Write the page and return True, unless writing it took 5 % of the time since it was last written."""
        if time.monotonic() < self._free_at:
            return False
        began = time.monotonic()
        self.write()
        now = time.monotonic()
        self._free_at = now + (now - began) / _SHARE
        return True

    def write(self) -> Path:
        """Write the page, whole or not at all, and return its path; raises as ``write_training_page`` does."""
        return write_training_page(self._output)


def write_training_page(output: Path) -> Path:
    """Write the page of the training in ``output`` and return its path.

    Torn lines are left out, and evaluations whose scores cannot be read. Raises TurnwiseError where there is no
    training, or what it is of cannot be read.
    """
    record = read_rlef(output)
    if record is None:
        raise TurnwiseError(
            f"{str(output)!r} holds no reinforcement learning, since there is no {RLEF}: name a folder that turnwise "
            "rlef wrote."
        )
    path = inside(output, PAGE)
    write_atomically(path, training_page(record, read_iterations(output), list(read_evaluations(output))))
    return path


def read_evaluations(output: Path) -> Iterator[Evaluation]:
    """Yield the scores of the run folders below OUT/evaluations, first to last, the usual one of a task first."""
    folder = inside(output, EVALUATIONS)
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    for name in names[:_MOST_FOLDERS]:
        match = _EVALUATION.fullmatch(name)
        if match is None:
            continue
        try:
            document = json.loads(read_whole(inside(folder, name, "scores.json"), limit=_LARGEST, follow=False))
            yield from [evaluation for task in document["tasks"] for evaluation in _scores(task, int(match[1]), name)]
        except (OSError, TurnwiseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue  # not scored yet, or somebody's hand


def _scores(task: dict[str, Any], iteration: int, name: str) -> Iterator[Evaluation]:
    """Yield the scores of a task at its whole budget; raises ValueError or TypeError for what is no such task."""
    turns, settings = task["max_turns"], task["settings"]
    usual = str(NAtK(1, turns)) if turns > 1 else "pass@1"
    metrics = list(dict.fromkeys([usual, *map(str, settings["n_at_k"])]))
    evaluations = {}
    for estimate in task["estimates"]:
        metric = str(estimate["metric"])
        budget = turns if metric.startswith("pass@") else min(turns, int(metric.partition("@")[2]))
        if metric in metrics and estimate["group"] == "all" and estimate["turns"] == budget:
            interval = estimate["intervals"].get("problems", {})
            evaluations[metric] = Evaluation(
                iteration=iteration,
                name=name,
                task=str(task["task"]),
                metric=metric,
                value=_share(estimate["value"]),
                lower=_share(interval.get("lower")),
                upper=_share(interval.get("upper")),
                counted=_count(estimate["counted"]),
                problems=_count(estimate["asked"]),
                samples=_count(settings["samples_per_problem"]),
            )
    yield from (evaluations[metric] for metric in metrics if metric in evaluations)


def _share(value: object) -> float | None:
    """Return a share of one, None for what is none; raises ValueError for what cannot be a score."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("a score is no share")
    return float(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_COUNTED:
        raise ValueError("a count is none")
    return value
