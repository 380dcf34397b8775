"""What is told of a reinforcement learning while it goes on: each iteration, its page, trackers and scores."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from turnwise.commands.score import score_command
from turnwise.commands.training_page import TrainingPage
from turnwise.errors import TurnwiseError
from turnwise.records.codec import reason_of
from turnwise.records.rlef import LoggedIteration, read_rlef
from turnwise.training.rlef.plan import Plan
from turnwise.training.rlef.tracking import Trackers

_RECENT = 20  # iterations by which the time left is measured


class IterationWatch:
    """Tells whoever watches each iteration: a line on a log, the trackers, the page."""

    def __init__(self, plan: Plan, trackers: Trackers, on_progress: Callable[[str, int, int], None]) -> None:
        self._plan, self._trackers, self._on_progress = plan, trackers, on_progress
        self._page = TrainingPage(plan.output)
        self._is_page_lost = False
        self._seconds: list[float] = []
        self._told = 0
        self._began = time.monotonic()

    def tell(self, logged: LoggedIteration) -> None:
        """Tell an iteration; told once more, with the seconds of its evaluation, it is no other one."""
        if logged.iteration != self._told:
            self._told = logged.iteration
            now = time.monotonic()
            self._seconds = [*self._seconds, now - self._began][-_RECENT:]
            self._began = now
            left = (self._plan.settings.iterations - logged.iteration) * sum(self._seconds) / len(self._seconds)
            self._trackers.log(logged)
            _say(iteration_line(logged, self._plan.settings.iterations, left))
        if sys.stderr.isatty():
            self._on_progress("iterations", logged.iteration, self._plan.settings.iterations)
        self._draw(self._page.rewrite)

    def close(self) -> None:
        """End the trackers, and write the page of what there is now."""
        self._trackers.close()
        if self._plan.is_main and read_rlef(self._plan.output) is not None:
            self._draw(self._page.write)

    def _draw(self, draw: Callable[[], object]) -> None:
        """Draw the page; one that cannot be written is said once, and ends nothing."""
        try:
            draw()
        except (OSError, TurnwiseError) as error:
            if not self._is_page_lost:
                _say(f"The page is not written, and training goes on: {reason_of(error)}.")
            self._is_page_lost = True


def _say(text: str) -> None:
    """Write a line on the log, or above the bars of a terminal."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def iteration_line(logged: LoggedIteration, iterations: int, seconds_left: float) -> str:
    """Return what a log says of an iteration."""
    rollouts, update, seconds = logged.rollouts, logged.update, logged.seconds
    dropped = ", ".join(f"{reason} {count}" for reason, count in rollouts.dropped.items())
    rate = rollouts.dialogues / seconds.sampling if seconds.sampling else 0.0
    parts = [
        f"iteration {logged.iteration}/{iterations}: solved {_percent(rollouts.solved)}",
        f"invalid {_percent(rollouts.invalid)}",
        f"reply {rollouts.reply_tokens or 0:.0f} tokens",
        f"KL {update.kl:.4g}",
        f"guessed {_percent(rollouts.guessed)}",
        f"drift {_percent(rollouts.drift)}",
        *([f"dropped {dropped}"] if dropped else []),
        f"sampling {seconds.sampling:.1f} s ({rate:.1f} dialogues/s)",
        f"judge {seconds.judging:.1f} s",
        f"update {seconds.update:.1f} s",
        f"{_duration(seconds_left)} left",
    ]
    return ", ".join(parts)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


def score_evaluation(folder: Path) -> float | None:
    """Write the scores of a run where they are not there, or cannot be read; return the mean over its tasks.

    The usual score counts: 1@T of T turns, and pass@1 of a single one.
    """
    path = folder / "scores.json"
    if path.is_file():
        with suppress(ValueError, TypeError, KeyError):
            return _mean(_usual_scores(path))
    score_command([folder])
    scores = _usual_scores(path)
    for task, usual, value in scores:
        _say(f"evaluation {folder.name}: {task} {usual} {_percent(value)}")
    return _mean(scores)


def _usual_scores(path: Path) -> list[tuple[str, str, float]]:
    """Return the usual score of each task: its name, the metric and the value."""
    scores = []
    for task in json.loads(path.read_text())["tasks"]:
        turns = task["max_turns"]
        usual = f"1@{turns}" if turns > 1 else "pass@1"
        scores += [
            (task["task"], usual, estimate["value"])
            for estimate in task["estimates"]
            if (estimate["metric"], estimate["turns"], estimate["group"]) == (usual, turns, "all")
            and estimate["value"] is not None
        ]
    return scores


def _mean(scores: Sequence[tuple[str, str, float]]) -> float | None:
    return sum(value for _, _, value in scores) / len(scores) if scores else None
