"""HardenedExecutor: untrusted programs in warm, rootless sandboxes, one fork per test.

>>> with HardenedExecutor() as executor:
...     executor.tier
'A'

Tiers, best first: A is namespaces, Landlock and seccomp; B, where user namespaces are forbidden, Landlock
and seccomp; C, where the kernel has no Landlock, namespaces and seccomp. Limits, dropped privileges and a
scrubbed environment belong to each. Where none can be had it refuses to run anything.

It does NOT protect against a hole in the kernel behind the system calls that every Python program needs,
nor against what a program can learn from timing. A tier is what the layers say; canaries check that they hold.
"""

import os
import tempfile
import weakref

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.choices import IsolationTier
from turnwise.records.limits import Limits
from turnwise.runners.execution.canaries import require_containment
from turnwise.runners.execution.inherited import InheritedLimits, need_descriptors
from turnwise.runners.execution.interface import Closable, Program, Session
from turnwise.runners.execution.interpreters import inspect_interpreter
from turnwise.runners.execution.languages import find_language
from turnwise.runners.execution.pool import WorkerPool
from turnwise.runners.execution.sessions import CallSession, StdinSession
from turnwise.runners.execution.worker import LayerMissingError, Worker, WorkerKind

TIERS = tuple(tier.value for tier in IsolationTier)


class HardenedExecutor(Closable):
    """Runs programs with ``interpreter`` (default: the running one) in ``tier`` (default: the best there is).

    Raises InfrastructureError naming the missing layer and the remedy if programs could escape.
    """

    name = "hardened 1"

    def __init__(self, interpreter: str = "", *, tier: str = "") -> None:
        if tier not in ("", *TIERS):
            raise TurnwiseError(f"Unknown isolation tier {tier!r}: there are {', '.join(TIERS)}.")
        _require_proc()
        _require_temporary_folder()
        need_descriptors(1)
        self._interpreter = inspect_interpreter(interpreter)
        self.inherited = InheritedLimits.read()
        self._has_numpy = "no numpy" not in self._interpreter.description
        path = self._interpreter.path
        first, self.unavailable = _start_first(path, tier)
        self.tier = str(first.description["ready"])
        self._pool = WorkerPool(lambda kind: Worker(path, self.tier, kind))
        self._pool.release(first)
        # Closed with the executor, however it goes; a dead judge's workers end by themselves.
        self._closing = weakref.finalize(self, self._pool.close)
        try:
            require_containment(self)
        except BaseException:
            self.close()
            raise

    @property
    def interpreter(self) -> str:
        """What runs the programs, numpy included."""
        return self._interpreter.description

    def start_workers(self, count: int) -> None:
        """Start ``count`` workers of each usual kind now, before this process loads what none may inherit.

        Without it they start when they are needed.
        """
        kinds = [WorkerKind(), WorkerKind(numpy=True)] if self._has_numpy else [WorkerKind()]
        for kind in kinds:
            for worker in [self._pool.acquire(kind) for _ in range(count)]:
                self._pool.release(worker)

    def open(self, program: Program, language: str, limits: Limits) -> Session:
        """Return a session for ``program``; raises TurnwiseError for a language that is not known."""
        kind = find_language(language).worker_kind(program, self._has_numpy)
        session = CallSession if program.entry_point else StdinSession
        return session(program, limits, self._pool, kind, self.inherited)

    def close(self) -> None:
        """End all workers."""
        self._closing()


def _start_first(interpreter: str, tier: str) -> tuple[Worker, dict[str, LayerMissingError]]:
    """Return a worker of the best tier there is, and what each better one lacks."""
    missing: dict[str, LayerMissingError] = {}
    for candidate in (tier,) if tier else TIERS:
        try:
            return Worker(interpreter, candidate, WorkerKind()), missing
        except LayerMissingError as error:
            missing[candidate] = error
    layers = {error.layer: error for error in missing.values()}
    reasons = "; ".join(str(error) for error in layers.values())
    remedies = "; or ".join(error.remedy for error in layers.values())
    what = f"tier {tier}" if tier else "any isolation tier"
    raise InfrastructureError(f"Programs could escape, so none is run: {what} lacks {reasons}. Remedy: {remedies}.")


def _require_proc() -> None:
    """Raise InfrastructureError where there is no /proc, by which processes are watched and confined."""
    if not os.path.exists(f"/proc/self/task/{os.getpid()}"):
        raise InfrastructureError(
            "There is no /proc here, by which programs are watched and confined, so none is run: mount it "
            "(mount -t proc proc /proc), or use a container that has it."
        )


def _require_temporary_folder() -> None:
    """Raise InfrastructureError where no temporary file can be made."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        raise InfrastructureError(
            "No folder for temporary files can be written: set TMPDIR to one, or make room in /tmp."
        ) from None
