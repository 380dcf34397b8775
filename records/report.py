"""Verdicts and reports: what judging one program showed, test by test."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from turnwise.records.trace import Trace


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
    """What one test showed; ``output`` and ``error`` are filled for public tests only."""

    __test__ = False

    index: int
    verdict: Verdict
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    output: str = ""
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object that ``from_json`` reads."""
        data: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        data["verdict"] = self.verdict.value
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "TestResult":
        """Return the result that ``to_json`` wrote."""
        return cls(**{**data, "verdict": Verdict(data["verdict"])})


@dataclass(frozen=True, slots=True)
class Environment:
    """What judged a program, as far as it can change a verdict: recorded in every report."""

    executor: str
    tier: str
    interpreter: str
    matcher: str

    def to_json(self) -> dict[str, str]:
        """Return a JSON object that ``from_json`` reads."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: dict[str, str]) -> "Environment":
        """Return the environment that ``to_json`` wrote."""
        return cls(**data)


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
    trace: Trace | None = None

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
    def first_failure(self) -> TestResult | None:
        """The first public, then hidden, test that did not pass."""
        results = self.public + (self.hidden or ())
        return next((result for result in results if result.verdict is not Verdict.PASSED), None)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object that ``from_json`` reads."""
        data = {
            "problem": self.problem,
            "verdict": self.verdict.value,
            "public": [result.to_json() for result in self.public],
            "hidden": None if self.hidden is None else [result.to_json() for result in self.hidden],
            "environment": self.environment.to_json(),
            "error": self.error,
        }
        return data if self.trace is None else {**data, "trace": self.trace.to_json()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Report":
        """Return the report that ``to_json`` wrote."""
        hidden = data["hidden"]
        return cls(
            data["problem"],
            Verdict(data["verdict"]),
            tuple(map(TestResult.from_json, data["public"])),
            None if hidden is None else tuple(map(TestResult.from_json, hidden)),
            Environment.from_json(data["environment"]),
            data["error"],
            Trace.from_json(data["trace"]) if "trace" in data else None,
        )
