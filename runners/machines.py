"""Opening the machine that judges: its executor and checkers, how many programs at a time, where its cache is."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.runners.judging.checking import Checkers
from turnwise.runners.judging.expected import default_cache_dir
from turnwise.runners.loading import Machine, Progress


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def check_data_dir(data_dir: Path | None) -> None:
    """Raise TurnwiseError if the data directory given is none."""
    if data_dir is not None and not data_dir.is_dir():
        what = "is no folder" if data_dir.exists() else "does not exist"
        raise TurnwiseError(f"The data directory {str(data_dir)!r} {what}: give another --data-dir.")


def check_cache_dir(cache_dir: Path) -> Path:
    """Return ``cache_dir``, made; raises TurnwiseError if it cannot be written."""
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        is_open = os.access(cache_dir, os.W_OK)
    except OSError:
        is_open = False
    if not is_open:
        raise TurnwiseError(
            f"The folder {str(cache_dir)!r}, where computed things are kept, cannot be written: set TURNWISE_CACHE to "
            "another."
        )
    return cache_dir


@contextmanager
def open_machine(
    environ: dict[str, str],
    *,
    advise: Callable[[str], None],
    on_progress: Progress | None = None,
    data_dir: Path | None = None,
    interpreter: str = "",
    workers: int = 0,
    kept_cores: int = 0,
    started: bool = False,
) -> Iterator[Machine]:
    """Yield a machine, its executor open in the best isolation tier; ``advise`` is told what is to be said of it.

    ``workers`` 0 are the usable cores without the ``kept_cores``. With ``started`` they are there at once, before this
    process loads an engine, of which they must inherit nothing. Raises TurnwiseError for what cannot be.
    """
    # Not for the commands that run no program.
    from turnwise.runners.diagnosis import check_machine
    from turnwise.runners.execution.hardened import HardenedExecutor
    from turnwise.runners.execution.host import need_descriptors

    if workers < 0:
        raise TurnwiseError(f"--workers is {workers}: give a whole number, or 0 for the usable cores.")
    check_data_dir(data_dir)
    cache_dir = check_cache_dir(default_cache_dir(environ))
    workers = workers or max(1, usable_cores() - kept_cores)
    need_descriptors(2 * workers)  # of programs and of checkers
    with closing(HardenedExecutor(interpreter)) as executor:
        for advice in check_machine(executor, workers=workers, environ=environ):
            advise(advice)
        if started:
            executor.start_workers(workers)
        with Checkers() as checkers:
            if started:
                checkers.executor.start_workers(workers, numpy=False)
            yield Machine(executor, cache_dir, data_dir, environ, workers, on_progress, checkers=checkers)
