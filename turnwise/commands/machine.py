"""What commands share: the machine that judges, progress, checks of options."""

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.files import commit_once, sync_folder, write_synced
from turnwise.locks import Lock
from turnwise.runners import machines
from turnwise.runners.loading import Machine, Progress

if TYPE_CHECKING:
    from turnwise.runners.models.back_end import BackEnd

HEARTBEAT_SECONDS = 30.0


def check_output(output: Path) -> Path:
    """Return the folder in which ``output`` lies or will be made; TurnwiseError unless it is or can become a folder."""
    existing = next(path for path in (output.absolute(), *output.absolute().parents) if path.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        raise TurnwiseError(
            f"The output {str(output)!r} cannot be written, since {str(existing)!r} is no folder open to you: "
            "give another --output_path."
        )
    return existing


def check_file_system(folder: Path) -> None:
    """Raise InfrastructureError unless files in ``folder`` can be written, synced, locked and committed once."""
    probe = folder / f".turnwise-probe.{os.getpid()}"
    try:
        probe.mkdir()
        Lock(probe / "lock").release()
        for name in ("first", "second"):
            write_synced(probe / name, name.encode())
        outcome = [commit_once(probe / name, probe / "final") for name in ("first", "second")]
        sync_folder(probe)
        if outcome != [True, False] or (probe / "final").read_bytes() != b"first":
            raise OSError("a file that is there can be replaced unseen")
    except OSError as error:
        raise InfrastructureError(
            f"The file system of {str(folder)!r} cannot hold a run ({error.strerror or error}): give a folder "
            "on another."
        ) from None
    finally:
        shutil.rmtree(probe, ignore_errors=True)


def check_run_output(output: Path) -> None:
    """Raise TurnwiseError unless ``output`` can become a run folder; one that holds runs would hide them.

    Raises InfrastructureError where the file system cannot hold a run.
    """
    check_file_system(check_output(output))
    if not (output / "run.json").exists() and (inside := next(iter(sorted(output.glob("*/run.json"))), None)):
        raise TurnwiseError(
            f"The output {str(output)!r} is a folder of runs ({inside.parent.name!r} is one): give --output_path a "
            f"folder of its own, such as {str(output / 'NAME')!r}."
        )


def check_runs_output(output: Path) -> None:
    """Raise TurnwiseError unless ``output`` can become a folder of runs; a run holds no others."""
    check_output(output)
    if (output / "run.json").exists():
        raise TurnwiseError(f"The output {str(output)!r} is a run, and holds no others: give another --output_path.")


@contextmanager
def open_machine(
    environ: dict[str, str],
    on_progress: Progress,
    *,
    data_dir: Path | None = None,
    interpreter: str = "",
    workers: int = 0,
    back_end: "BackEnd | None" = None,
) -> Iterator[Machine]:
    """Yield the machine that options describe, its executor open; raises TurnwiseError for what cannot be.

    A ``back_end`` keeps the cores it needs, and finds the workers started where it runs in this process.
    """
    with machines.open_machine(
        environ,
        advise=lambda advice: print(f"turnwise: {advice}", file=sys.stderr, flush=True),
        on_progress=on_progress,
        data_dir=data_dir,
        interpreter=interpreter,
        workers=workers,
        kept_cores=back_end.cores if back_end else 0,
        started=back_end is not None and back_end.in_process,
    ) as machine:
        yield machine


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Yield a callback that draws a bar on a terminal and writes a line now and then into a log."""
    if not sys.stderr.isatty():
        with _Heartbeat() as report:
            yield report
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        ids: dict[str, TaskID] = {}

        def draw(what: str, done: int, total: int) -> None:
            if what not in ids:
                ids[what] = bars.add_task(what, total=total)
            bars.update(ids[what], completed=done, visible=done < total)

        yield draw


class _Heartbeat:
    """For logs: a line at the end of each stage, and one every half minute meanwhile, whether or not it moves."""

    def __init__(self) -> None:
        self._stage = ("", 0, 0)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._clock = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Progress:
        self._clock.start()
        return self._report

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._clock.join()

    def _report(self, what: str, done: int, total: int) -> None:
        with self._lock:
            self._stage = (what, done, total)
            if done == total:
                self._say()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            with self._lock:
                if self._stage[1] != self._stage[2]:
                    self._say()

    def _say(self) -> None:
        what, done, total = self._stage
        print(f"{time.strftime('%H:%M:%S')} {what} {done}/{total}", file=sys.stderr, flush=True)
