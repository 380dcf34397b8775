"""Verdicts and reports: what judging one program showed, test by test.

A trace says what a program did on one public test, basic block by basic block. Its values are texts as the sandbox sent
them, cleaned and bounded (runners/execution/tracing.py); the lines are those of the program. Only a public test is ever
traced.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from turnwise.records.codec import if_set


@dataclass(frozen=True, slots=True)
class BlockRun:
    """One run of a block: its first and last line (from 1), and its variables before and after, by name."""

    line: int
    last_line: int
    before: Mapping[str, str]
    after: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Trace:
    """The first and last runs of blocks in a program's run on public test ``test``; ``executed`` counts all."""

    test: int
    executed: int
    runs: tuple[BlockRun, ...]


class Verdict(StrEnum):
    """How a test or a program ended; infrastructure_failure alone is never the program's fault."""

    PASSED = "passed"
    WRONG_ANSWER = "wrong_answer"
    RUNTIME_ERROR = "runtime_error"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    COMPILE_ERROR = "compile_error"
    NO_CODE = "no_code"
    INFRASTRUCTURE_FAILURE = "infrastructure_failure"


@dataclass(frozen=True, slots=True)
class TestResult:
    """What one test showed; ``output`` and ``error`` are filled for public tests only.

    ``checked``: the output is right, and equality by the data set's own rule would have refused it. ``note`` is what a
    checker had to say: why, on a public test, and no more than a fixed sentence on a hidden one.
    """

    __test__ = False

    index: int
    verdict: Verdict
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    output: str = ""
    error: str = ""
    checked: bool = if_set(False)
    note: str = if_set("")


@dataclass(frozen=True, slots=True)
class Environment:
    """What judged a program, as far as it can change a verdict: recorded in every report."""

    executor: str
    tier: str
    interpreter: str
    matcher: str


@dataclass(frozen=True, slots=True)
class Report:
    """What judging one program showed: all public tests, hidden tests up to the first that failed.

    ``hidden`` is None when the hidden tests were not asked for, and empty when a public test failed
    before them. Hidden results carry verdicts and costs, never outputs. ``trace`` is of one failing public
    test, where one was asked for and could be had.
    """

    problem: str
    verdict: Verdict
    public: tuple[TestResult, ...]
    hidden: tuple[TestResult, ...] | None
    environment: Environment
    error: str = ""
    trace: Trace | None = if_set(None)

    @property
    def passed(self) -> bool:
        """Whether public and hidden tests passed; False too where the hidden tests were not asked for."""
        return self.hidden is not None and self.verdict is Verdict.PASSED

    @property
    def public_passed(self) -> bool:
        """Whether there is a program and it passed every public test."""
        if not self.public and self.verdict is not Verdict.PASSED and not self.hidden:
            return False  # no program, or none that could be run
        return all(result.verdict is Verdict.PASSED for result in self.public)

    @property
    def checked(self) -> int:
        """How many tests passed that equality would have refused."""
        return sum(result.checked for result in (*self.public, *(self.hidden or ())))

    @property
    def cpu_seconds(self) -> float:
        """What its tests took."""
        return sum(result.cpu_seconds for result in (*self.public, *(self.hidden or ())))

    def without_measurements(self) -> "Report":
        """Return the report without seconds and bytes, which no two runs share."""
        public = tuple(replace(result, cpu_seconds=0.0, peak_memory_bytes=0) for result in self.public)
        return replace(self, public=public)
