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

import weakref

from turnwise.benchmarks.limits import Limits
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.runners.execution.canaries import require_containment
from turnwise.runners.execution.interface import Closable, Program, Session
from turnwise.runners.execution.interpreters import inspect_interpreter
from turnwise.runners.execution.languages import find_language
from turnwise.runners.execution.pool import WorkerPool
from turnwise.runners.execution.sessions import CallSession, StdinSession
from turnwise.runners.execution.worker import LayerMissingError, Worker, WorkerKind

TIERS = ("A", "B", "C")
_REMEDIES = {
    "namespaces": "allow user namespaces (sysctl user.max_user_namespaces, "
    "kernel.apparmor_restrict_unprivileged_userns)",
    "landlock": "boot a kernel of 5.13 or newer with landlock in its lsm= list",
    "seccomp": "use a kernel with seccomp filters, on x86-64 or aarch64",
}


class HardenedExecutor(Closable):
    """Runs programs with ``interpreter`` (default: the running one) in ``tier`` (default: the best there is).

    Raises InfrastructureError naming the missing layer and the remedy if programs could escape.
    """

    name = "hardened 1"

    def __init__(self, interpreter: str = "", *, tier: str = "") -> None:
        if tier not in ("", *TIERS):
            raise TurnwiseError(f"Unknown isolation tier {tier!r}: there are {', '.join(TIERS)}.")
        self._interpreter = inspect_interpreter(interpreter)
        self._has_numpy = "no numpy" not in self._interpreter.description
        path = self._interpreter.path
        first = _start_first(path, tier)
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
        return session(program, limits, self._pool, kind)

    def close(self) -> None:
        """End all workers."""
        self._closing()


def _start_first(interpreter: str, tier: str) -> Worker:
    missing: dict[str, str] = {}
    for candidate in (tier,) if tier else TIERS:
        try:
            return Worker(interpreter, candidate, WorkerKind())
        except LayerMissingError as error:
            missing[error.layer] = str(error)
    remedies = "; or ".join(_REMEDIES.get(layer, f"allow {layer}") for layer in missing)
    reasons = "; ".join(missing.values())
    what = f"tier {tier}" if tier else "any isolation tier"
    raise InfrastructureError(f"Programs could escape, so none is run: {what} lacks {reasons}. Remedy: {remedies}.")
