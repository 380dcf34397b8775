"""What a process takes for granted, seen to before anything else: standard streams, a working folder, memory, a umask.

Shells, batch systems and containers start processes without one or the other. What can be put right is put right;
what cannot is one sentence. Imports next to nothing, since little may be had yet.
"""

import _thread
import os
import resource
import sys
from pathlib import Path

from turnwise.errors import InfrastructureError, TurnwiseError

_MOST_THREADS = 64  # of numpy's OpenBLAS
_NEEDED_BYTES = 400 << 20  # address space of this process, its numerical libraries included


def open_missing_streams() -> None:
    """Let a standard stream that is closed read nothing and swallow all, so that no other file gets its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, and those below are taken
        if getattr(sys, name) is None:
            mode = "r" if number == 0 else "w"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - as long as we run


def check_surroundings() -> None:
    """Raise TurnwiseError or InfrastructureError for what nothing here could do without; put right the umask."""
    mask = os.umask(0o077)
    os.umask(mask & ~0o700)  # what takes our own rights from us leaves nothing that we write of use
    try:
        Path.cwd()
    except FileNotFoundError:
        raise TurnwiseError("The working folder does not exist any more: change to another (cd).") from None
    for kind, option in ((resource.RLIMIT_AS, "v"), (resource.RLIMIT_DATA, "d")):
        soft, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY and hard < _NEEDED_BYTES:
            raise InfrastructureError(
                f"The hard limit of memory is {hard >> 20} MiB, below the {_NEEDED_BYTES >> 20} MiB that turnwise "
                f"itself needs: raise it (ulimit -{option} unlimited)."
            )
        if soft != resource.RLIM_INFINITY and soft < _NEEDED_BYTES:
            resource.setrlimit(kind, (_NEEDED_BYTES, hard))
    _check_threads()


def _check_threads() -> None:
    """Raise InfrastructureError where as many threads as numpy's OpenBLAS starts cannot be had.

    It would interrupt this process, which is not to be taken for Ctrl-C.
    """
    given = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or ""
    count = int(given) if given.isdigit() and len(given) < 4 else len(os.sched_getaffinity(0))
    gate = _thread.allocate_lock()

    def wait() -> None:
        with gate:
            pass

    with gate:
        try:
            for _ in range(min(count, _MOST_THREADS) - 1):
                _thread.start_new_thread(wait, ())
        except RuntimeError as error:
            raise failure_of_machine(error) or error from None


def failure_of_machine(error: Exception) -> InfrastructureError | None:
    """Return what to say where memory, threads or processes ran out, None if ``error`` is something else."""
    if isinstance(error, MemoryError):
        return InfrastructureError(
            "There is no more memory for this process: give the job more (or raise ulimit -v), then run the same "
            "line again."
        )
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return InfrastructureError(
            "No more threads can be started here: raise the limit of processes (ulimit -u), or of memory (ulimit -v)."
        )
    return None
