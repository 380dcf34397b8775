"""The records that every room passes around: Problem, TestCase, TestResult, Report; all frozen, all JSON.

>>> Problem.from_json(problem.to_json()) == problem
True

Records hold facts and small derived properties; loading is in the loaders, comparing in matching,
running in runners. Nothing here does input or output.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from turnwise.benchmarks.limits import Limits
from turnwise.benchmarks.traces import Trace


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


class Flag(StrEnum):
    """What a reader of a score has to know of a problem; the first four forbid scoring it."""

    NO_HIDDEN_TESTS = "no_hidden_tests"
    INCOMPLETE = "incomplete"
    CONTRADICTORY = "contradictory"
    INTERACTIVE = "interactive"
    MULTIPLE_ANSWERS = "multiple_answers"
    SPECIAL_JUDGE = "special_judge"
    BASE_TESTS_ONLY = "base_tests_only"
    TESTS_LEFT_OUT = "tests_left_out"


UNSCORABLE_FLAGS = frozenset({Flag.NO_HIDDEN_TESTS, Flag.INCOMPLETE, Flag.CONTRADICTORY, Flag.INTERACTIVE})


class Comparison(StrEnum):
    """What an output is compared as: the text of stdout, a result by value, or by evalplus's rules."""

    TEXT = "text"
    VALUE = "value"
    EVALPLUS = "evalplus"


@dataclass(frozen=True, slots=True)
class MatchRule:
    """What a problem says about comparing outputs; which matcher applies to text is the run's setting.

    ``tolerance`` is absolute and relative for texts and values and evalplus's atol for its tasks;
    ``any_number`` extends it to expected integers (TACO's special judge, case 3); ``oracle`` names one
    of the special cases of evalplus (oracles.py).
    """

    comparison: Comparison = Comparison.TEXT
    ignore_case: bool = False
    any_number: bool = False
    tolerance: float = 1e-6
    oracle: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object that ``from_json`` reads."""
        return {
            "comparison": self.comparison.value,
            "ignore_case": self.ignore_case,
            "any_number": self.any_number,
            "tolerance": self.tolerance,
            "oracle": self.oracle,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "MatchRule":
        """Return the rule that ``to_json`` wrote."""
        return cls(**{**data, "comparison": Comparison(data["comparison"])})


@dataclass(frozen=True, slots=True)
class TestCase:
    """One test: stdin and stdout text, or (function-call tasks) arguments and result as tagged JSON.

    ``output`` is None while the expected result has not been computed from the canonical solution.
    """

    __test__ = False

    input: str
    output: str | None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object that ``from_json`` reads."""
        return {"input": self.input, "output": self.output}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "TestCase":
        """Return the test that ``to_json`` wrote."""
        return cls(data["input"], data["output"])


@dataclass(frozen=True, slots=True)
class Problem:
    """A task with its tests and limits.

    ``entry_point`` is empty for programs that read stdin, else the function (or the method of class
    Solution) to call. ``starter_code`` is what the model is given to continue; ``prelude`` is what the
    judge runs before the program (usual imports of call-based TACO tasks). ``solutions`` are known
    right programs, the canonical one first, ``incorrect_solutions`` known wrong ones. ``contradiction`` is
    why the problem is flagged contradictory.
    """

    id: str
    benchmark: str
    split: str
    statement: str
    public_tests: tuple[TestCase, ...]
    hidden_tests: tuple[TestCase, ...]
    limits: Limits = field(default_factory=Limits)
    rule: MatchRule = field(default_factory=MatchRule)
    entry_point: str = ""
    starter_code: str = ""
    prelude: str = ""
    input_file: str = ""
    output_file: str = ""
    difficulty: str = ""
    flags: tuple[Flag, ...] = ()
    special_judge_case: int | None = None
    solutions: tuple[str, ...] = ()
    incorrect_solutions: tuple[str, ...] = ()
    contradiction: str = ""

    @property
    def is_scorable(self) -> bool:
        """Whether a verdict on this problem means anything."""
        return not UNSCORABLE_FLAGS.intersection(self.flags)

    @property
    def shown_flags(self) -> str:
        """The flags by name, with the reason of a contradiction."""
        reasons = {Flag.CONTRADICTORY: f": {self.contradiction}" if self.contradiction else ""}
        return ", ".join(flag.value + reasons.get(flag, "") for flag in self.flags)

    @property
    def is_function_call(self) -> bool:
        """Whether tests call ``entry_point`` instead of feeding stdin."""
        return bool(self.entry_point)

    @property
    def name(self) -> str:
        """The id without the benchmark's prefix."""
        return self.id.split("/", 1)[1]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object that ``from_json`` reads."""
        data: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        data["public_tests"] = [test.to_json() for test in self.public_tests]
        data["hidden_tests"] = [test.to_json() for test in self.hidden_tests]
        data["limits"] = self.limits.to_json()
        data["rule"] = self.rule.to_json()
        data["flags"] = [flag.value for flag in self.flags]
        data["solutions"] = list(self.solutions)
        data["incorrect_solutions"] = list(self.incorrect_solutions)
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Problem":
        """Return the problem that ``to_json`` wrote."""
        return cls(
            **{
                **data,
                "public_tests": tuple(map(TestCase.from_json, data["public_tests"])),
                "hidden_tests": tuple(map(TestCase.from_json, data["hidden_tests"])),
                "limits": Limits.from_json(data["limits"]),
                "rule": MatchRule.from_json(data["rule"]),
                "flags": tuple(map(Flag, data["flags"])),
                "solutions": tuple(data["solutions"]),
                "incorrect_solutions": tuple(data["incorrect_solutions"]),
            }
        )


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
