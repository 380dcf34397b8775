"""Trainings by two processes that nothing but themselves ends, started again and again: a program.

    python several_processes.py DIR ARGUMENT...

DIR/attempts.json holds a list: for each attempt, what is moved from DIR/out to DIR/before-N first, and by rank what
goes wrong, where, and at which call of it. Imports what takes seconds once; each process is a child, with the arguments
of ``turnwise``. How those of each attempt ended is written to DIR/statuses.json: null for what had to be killed. What
process R of attempt N says is in DIR/said-N-R.
"""

import errno
import importlib
import json
import os
import signal
import socket
import sys
import time
import warnings
from pathlib import Path
from typing import Any

_PATIENCE_SECONDS = 60.0


def _break(place: str, name: str, calls: int, fault: str) -> None:
    """Let the next call after so many of a function fail, or kill the process."""
    module: Any = importlib.import_module(place)
    real, left = getattr(module, name), [calls]

    def broken(*arguments: Any, **options: Any) -> object:
        if not left[0]:
            if fault == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a file") if fault == "full" else ValueError(fault)
        left[0] -= 1
        return real(*arguments, **options)

    setattr(module, name, broken)


def _hurry() -> None:
    """Let the group be left while a thread of it still holds tensors, and waits for Python's lock to let go of them."""
    import torch

    leave = torch.distributed.destroy_process_group

    def hurried() -> None:
        group: Any = torch.distributed.group.WORLD
        leave()
        group.allgather([[torch.zeros(1), torch.zeros(1)]], [torch.ones(1)])
        end = time.monotonic() + 0.3
        while time.monotonic() < end:  # keeps the lock
            pass

    torch.distributed.destroy_process_group = hurried
    sys.setswitchinterval(2.0)  # seconds after which the lock is given up


def _start(rank: int, port: int, said: Path, arguments: list[str], fault: list[Any] | None, is_hurried: bool) -> int:
    if child := os.fork():
        return child
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", LOCAL_WORLD_SIZE="2")
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), OMP_NUM_THREADS="1")
    descriptor = os.open(said, os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    if is_hurried:
        _hurry()
    from turnwise.cli.main import main

    if fault is not None:
        _break(*fault)
    sys.argv = ["turnwise", *arguments]
    main()
    raise AssertionError


def _ended(children: list[int]) -> list[int | None]:
    """Return the exit statuses, None for those that had to be killed."""
    statuses: dict[int, int | None] = {}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while len(statuses) < len(children):
        for child in children:
            if child not in statuses and (ended := os.waitpid(child, os.WNOHANG))[0]:
                statuses[child] = os.waitstatus_to_exitcode(ended[1])
            elif child not in statuses and time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                statuses[child] = None
        time.sleep(0.05)
    return [statuses[child] for child in children]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    folder, given = Path(sys.argv[1]), sys.argv[2:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import peft  # noqa: F401 - so that no child has to
        import torch
        import trl.trainer.sft_trainer  # noqa: F401 - as above

        import turnwise.commands.rft  # noqa: F401 - as above
    torch.set_num_threads(1)
    results = []
    for number, attempt in enumerate(json.loads((folder / "attempts.json").read_text())):
        for name in attempt.get("moved", []):
            (before := folder / f"before-{number}").mkdir(exist_ok=True)
            (folder / "out" / name).rename(before / name)
        port, faults = _free_port(), attempt.get("faults", {})
        children = [
            _start(rank, port, folder / f"said-{number}-{rank}", given, faults.get(str(rank)), is_hurried=not faults)
            for rank in (0, 1)
        ]
        results.append(_ended(children))
    (folder / "statuses.json").write_text(json.dumps(results))
