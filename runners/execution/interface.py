"""The seam between judging and running: Program, Execution, Session and Executor.

>>> with executor.open(Program(b"print(int(input()) * 2)"), "python", Limits()) as session:
...     for execution in session.run([b"1", b"2"]):
...         print(execution.output)
b'2\\n'
b'4\\n'

An executor gets programs and inputs and nothing else: no expected output ever passes this seam. It does
not judge either; an Execution says how a run ended and what it used, the Judge says what that means.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from turnwise.records.problem import Limits

PYTHON = "python"


@dataclass(frozen=True, slots=True)
class Program:
    """A program as the model wrote it (bytes: NUL and invalid UTF-8 included) and how it is run.

    With an ``entry_point`` the program is loaded once and that function called per input; else it runs
    once per input, which it reads from stdin, or from ``input_file`` where the problem names one. With ``digests`` very
    long results come as their digests (values.dumps_or_digest), so that nobody holds them whole but the program. With
    ``is_fresh`` each call has a process of its own, in which the program is loaded anew.
    """

    source: bytes
    entry_point: str = ""
    prelude: str = ""
    input_file: str = ""
    output_file: str = ""
    digests: bool = False
    is_fresh: bool = False

    @property
    def writer(self) -> str:
        """The name of the function of values.py that writes the results of calls."""
        return "dumps_or_digest" if self.digests else "dumps"


class Ending(StrEnum):
    """How one run ended; starved and infrastructure are the machine's doing, never the program's."""

    FINISHED = "finished"
    FAILED = "failed"
    COMPILE_ERROR = "compile_error"
    CPU_LIMIT = "cpu_limit"
    IDLE_LIMIT = "idle_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    STARVED = "starved"
    INFRASTRUCTURE = "infrastructure"


@dataclass(frozen=True, slots=True)
class Execution:
    """One run: its output (stdout, or one line of tagged JSON for a call), errors, end and costs.

    ``hampered`` names a limit of this machine that may have changed what the program did: a wrong output is no
    verdict then.
    """

    ending: Ending
    output: bytes = b""
    error: str = ""
    cpu_seconds: float = 0.0
    idle_seconds: float = 0.0
    peak_memory_bytes: int = 0
    hampered: str = ""


class Session(Protocol):
    """One program, opened under limits; close it (or use ``with``) to free what it holds."""

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        """Yield one Execution per input, in order; the caller may stop early.

        A program that does not compile yields a single COMPILE_ERROR.
        """
        ...

    def close(self) -> None:
        """End whatever still runs and remove its files."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Closable:
    """What a session or an executor is that ``with`` closes at its end."""

    def close(self) -> None:
        """Free what it holds."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Executor(Protocol):
    """A way to run programs; its description stands in every report and in the verdict key."""

    @property
    def name(self) -> str:
        """Name and version, such as ``reference 1``."""
        ...

    @property
    def tier(self) -> str:
        """How well programs are isolated; ``none`` for the reference executor."""
        ...

    @property
    def interpreter(self) -> str:
        """What runs the programs, numpy included, such as ``CPython 3.11.7, numpy 2.1.0``."""
        ...

    def open(self, program: Program, language: str, limits: Limits) -> Session:
        """Return a session for ``program``; raises TurnwiseError for an unknown language."""
        ...

    def close(self) -> None:
        """End what the executor keeps running between programs."""
        ...
