"""Trackers of others (wandb, tensorboard) that are told the figures of each iteration, through accelerate."""

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.records.codec import to_json
from turnwise.records.rlef import LoggedIteration, RlefRecord

_PROJECT = "turnwise-rlef"
# The packages of which one has to be there.
_PACKAGES = {"wandb": ("wandb",), "tensorboard": ("tensorboard", "tensorboardX")}


def parse_trackers(text: str) -> tuple[str, ...]:
    """Return the names in a list separated by commas; raises TurnwiseError for one that is unknown or not installed."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in _PACKAGES:
            raise TurnwiseError(f"--track names {name!r}: give one or more of {', '.join(_PACKAGES)}.")
        if not any(importlib.util.find_spec(package) for package in _PACKAGES[name]):
            raise TurnwiseError(f"--track {name} needs the package {name}: run pip install {name}.")
    return names


class Trackers:
    """The trackers ``names``, told of a training that writes ``output``; opened with the first iteration.

    Only the main process has one, and opens it when all processes of the training are connected.
    """

    def __init__(self, names: Sequence[str], output: Path, record: RlefRecord) -> None:
        self._names, self._output, self._record = names, output, record
        self._accelerator: Any = None

    def log(self, logged: LoggedIteration) -> None:
        """Tell the figures of an iteration."""
        if not self._names:
            return
        if self._accelerator is None:
            from accelerate import Accelerator

            self._accelerator = Accelerator(log_with=list(self._names), project_dir=str(self._output))
            settings = to_json(self._record.settings)
            self._accelerator.init_trackers(_PROJECT, config=dict(_flat(settings)))
        self._accelerator.log(figures_of(logged), step=logged.iteration)

    def close(self) -> None:
        """Let the trackers write what they have."""
        if self._accelerator is not None:
            self._accelerator.end_training()


def figures_of(logged: LoggedIteration) -> dict[str, float]:
    """Return the numbers of a line by names such as ``rollouts/solved``; turns by their numbers, from 1."""
    data = {part: to_json(getattr(logged, part)) for part in ("rollouts", "update", "seconds")}
    return {name: float(value) for name, value in _flat(data) if not isinstance(value, str)}


def _flat(data: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}/")
        elif isinstance(value, list):
            yield from _flat({str(number): item for number, item in enumerate(value, 1)}, f"{name}/")
        elif value is not None:
            yield name, value
