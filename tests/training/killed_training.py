"""A training that is killed again and again, at another place each time, until it is done: a program.

    python killed_training.py DIR ARGUMENT...

Imports what takes seconds once; each attempt is a child, with the arguments of ``turnwise``. How each ended
is written to DIR/statuses.json. DIR/places.json, if it is there, holds the numbers of the places that are taken.
"""

import contextlib
import importlib
import json
import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

_LOOP = "turnwise.training.fine_tuning.loop"
_CHECKPOINTS = "turnwise.training.rlef.checkpoints"
_UPDATE = "turnwise.training.rlef.update.Updater"
# Of each command: the function that is reached, how many times before, and the signal that comes there.
_RFT = [
    ("turnwise.training.fine_tuning.training", "write_rows", 0, signal.SIGKILL),  # before anything is learnt
    (_LOOP, "_any", 2, signal.SIGKILL),  # within step 3, behind checkpoint-2
    (_LOOP, "write_trained_model", 0, signal.SIGKILL),  # checkpoint-4 is written, but for its mark
    (_LOOP, "_any", 0, signal.SIGTERM),  # step 3 once more
    (_LOOP, "_any", 0, signal.SIGUSR2),  # step 3 again; step 4 is finished and saved
    (f"{_LOOP}.shutil", "rmtree", 0, signal.SIGKILL),  # checkpoint-2 is being removed after step 6
    (_LOOP, "write_trained_model", 0, signal.SIGKILL),  # the model is written, but for its mark
]
_RLEF = [
    ("turnwise.training.rollouts._Iteration", "_add", 3, signal.SIGKILL),  # half of iteration 2 is sampled
    (_CHECKPOINTS, "write_trained_model", 0, signal.SIGKILL),  # checkpoint-2 is written, but for its mark
    (_UPDATE, "update", 0, signal.SIGTERM),  # iteration 2 once more
    (_UPDATE, "update", 0, signal.SIGUSR2),  # iteration 2 again; it is finished and saved
    (_UPDATE, "update", 0, signal.SIGKILL),  # iteration 3 is sampled
    (f"{_CHECKPOINTS}.shutil", "rmtree", 1, signal.SIGKILL),  # checkpoint-1 is being removed after iteration 3
    (_CHECKPOINTS, "write_trained_model", 0, signal.SIGKILL),  # the model is written, but for its mark
]
PLACES = {"rft": _RFT, "rlef": _RLEF}
_LOADED = {
    "rft": ("peft", "trl.trainer.sft_trainer"),
    "rlef": (
        "accelerate.utils",
        "torch._dynamo",
        "transformers.generation.utils",
        "transformers.models.llama.modeling_llama",
        "turnwise.training.rlef.update",
    ),
}


def _signal_at(place: str, name: str, calls: int, number: signal.Signals) -> None:
    with contextlib.suppress(ModuleNotFoundError):
        module: Any = importlib.import_module(place)
        _replace(module, name, calls, number)
        return
    place, _, inner = place.rpartition(".")
    _replace(getattr(importlib.import_module(place), inner), name, calls, number)


def _replace(module: Any, name: str, calls: int, number: signal.Signals) -> None:
    real: Callable[..., object] = getattr(module, name)
    left = [calls]

    def counted(*arguments: Any, **options: Any) -> object:
        if not left[0]:
            os.kill(os.getpid(), number)
        left[0] -= 1
        return real(*arguments, **options)

    setattr(module, name, counted)


def _attempt(arguments: list[str], place: tuple[str, str, int, signal.Signals] | None) -> int:
    if (child := os.fork()) == 0:
        from turnwise.cli.main import main

        if place is not None:
            _signal_at(*place)
        sys.argv = ["turnwise", *arguments]
        status = 1
        try:
            main()
        except SystemExit as leaving:
            status = int(leaving.code or 0)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    folder, given = Path(sys.argv[1]), sys.argv[2:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch

        importlib.import_module(f"turnwise.commands.{given[0]}")  # so that no child has to
        for package in _LOADED[given[0]]:
            importlib.import_module(package)
    torch.set_num_threads(1)
    places = PLACES[given[0]]
    if (chosen := folder / "places.json").is_file():
        places = [places[number] for number in json.loads(chosen.read_text())]
    statuses = [_attempt(given, place) for place in [*places, None]]
    (folder / "statuses.json").write_text(json.dumps(statuses))
