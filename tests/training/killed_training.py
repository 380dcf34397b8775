"""A training that is killed again and again, at another place each time, until it is done: a program.

    python killed_training.py DIR ARGUMENT...

Imports what takes seconds once; each attempt is a child, with the arguments of ``turnwise``. How each ended
is written to DIR/statuses.json.
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
# The function that is reached, how many times before, and the signal that comes there.
PLACES = [
    ("turnwise.training.fine_tuning.training", "write_rows", 0, signal.SIGKILL),  # before anything is learnt
    (_LOOP, "_any", 2, signal.SIGKILL),  # within step 3, behind checkpoint-2
    (_LOOP, "write_trained_model", 0, signal.SIGKILL),  # checkpoint-4 is written, but for its mark
    (_LOOP, "_any", 0, signal.SIGTERM),  # step 3 once more
    (_LOOP, "_any", 0, signal.SIGUSR2),  # step 3 again; step 4 is finished and saved
    (f"{_LOOP}.shutil", "rmtree", 0, signal.SIGKILL),  # checkpoint-2 is being removed after step 6
    (_LOOP, "write_trained_model", 0, signal.SIGKILL),  # the model is written, but for its mark
]


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
        import peft  # noqa: F401 - so that no child has to
        import torch
        import trl.trainer.sft_trainer  # noqa: F401 - as above

        import turnwise.commands.rft  # noqa: F401 - as above
    torch.set_num_threads(1)
    statuses = [_attempt(given, place) for place in [*PLACES, None]]
    (folder / "statuses.json").write_text(json.dumps(statuses))
