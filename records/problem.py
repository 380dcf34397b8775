"""Problems with their tests, limits and flags; loading is in the loaders, comparing in matching.

Limits where a data set gives none (ours, except the 10 s and 1 GiB of RLEF, arXiv 2410.02089 sec. 3.1): 10 s and 1 GiB
for stdin programs, 4 s and 4 GiB for function-call tasks.
"""

import hashlib
from collections.abc import Set
from dataclasses import dataclass, field, replace
from enum import StrEnum

from turnwise.records.codec import if_set

DEFAULT_TIME_LIMIT_SECONDS = 10.0
DEFAULT_MEMORY_LIMIT_BYTES = 2**30
FUNCTION_TIME_LIMIT_SECONDS = 4.0
FUNCTION_MEMORY_LIMIT_BYTES = 4 * 2**30
FUNCTION_TIME_FACTOR = 4.0
OUTPUT_LIMIT_BYTES = 64 * 2**20
# The split whose problems models may be trained on: never part of an evaluation or a board.
TRAINING_SPLIT = "train"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one test may use: CPU seconds, peak memory, bytes of output; and how long it may sit idle."""

    time_limit_seconds: float = DEFAULT_TIME_LIMIT_SECONDS
    memory_limit_bytes: int = DEFAULT_MEMORY_LIMIT_BYTES
    output_limit_bytes: int = OUTPUT_LIMIT_BYTES

    @property
    def idle_limit_seconds(self) -> float:
        """Seconds a program may neither run nor wait for a core: max(2 s, twice the time limit)."""
        return max(2.0, 2.0 * self.time_limit_seconds)

    @property
    def wall_limit_seconds(self) -> float:
        """The backstop for starved machines, besides what a program waits for a core: it is the machine's fault."""
        return 20.0 + 10.0 * self.time_limit_seconds

    def scaled(self, time_factor: float) -> "Limits":
        """Return these limits with the time limit multiplied by ``time_factor`` (recorded in a run)."""
        return Limits(self.time_limit_seconds * time_factor, self.memory_limit_bytes, self.output_limit_bytes)


class Flag(StrEnum):
    """What a reader of a score has to know of a problem; the first four forbid scoring it.

    ``multiple_answers`` is known by reading the statement; where nobody has, ``guessed_kind`` stands beside it.
    """

    NO_HIDDEN_TESTS = "no_hidden_tests"
    INCOMPLETE = "incomplete"
    CONTRADICTORY = "contradictory"
    INTERACTIVE = "interactive"
    MULTIPLE_ANSWERS = "multiple_answers"
    GUESSED_KIND = "guessed_kind"
    SPECIAL_JUDGE = "special_judge"
    BASE_TESTS_ONLY = "base_tests_only"
    TESTS_LEFT_OUT = "tests_left_out"


UNSCORABLE_FLAGS = frozenset({Flag.NO_HIDDEN_TESTS, Flag.INCOMPLETE, Flag.CONTRADICTORY, Flag.INTERACTIVE})


class Comparison(StrEnum):
    """What an output is compared as: the text of stdout, a result by value, or by evalplus's rules."""

    TEXT = "text"
    VALUE = "value"
    EVALPLUS = "evalplus"


class Measure(StrEnum):
    """What a tolerance is of: the difference itself, its share of the expected number, or the larger of the two."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class MatchRule:
    """What a problem says about comparing outputs; which matcher applies to text is the run's setting.

    ``tolerance`` is that of texts and values, as ``measure`` has it, and evalplus's atol for its tasks;
    ``any_number`` extends it to expected integers (TACO's special judge, case 3); ``oracle`` names one
    of the special cases of evalplus (oracles.py).
    """

    comparison: Comparison = Comparison.TEXT
    ignore_case: bool = False
    any_number: bool = False
    tolerance: float = 1e-6
    oracle: str = ""
    measure: Measure = if_set(Measure.EITHER)


@dataclass(frozen=True, slots=True)
class Checker:
    """A program that says whether an output is right where it does not equal the expected one, and an input valid.

    ``source`` is all that runs, its functions those of ``interface`` (benchmarks/checkers/checker_sets.py);
    ``origin`` names the set and the file that it came from.
    """

    source: str
    origin: str
    checks: bool = True
    validates: bool = True
    language: str = "python"
    interface: str = "checker 1"

    @property
    def sha256(self) -> str:
        """The digest of what runs."""
        return hashlib.sha256(self.source.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class TestCase:
    """One test: stdin and stdout text, or (function-call tasks) arguments and result as tagged JSON.

    ``output`` is None while the expected result has not been computed from the canonical solution.
    """

    __test__ = False

    input: str
    output: str | None


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Problem:
    """A task with its tests and limits.

    ``entry_point`` is empty for programs that read stdin, else the function (or the method of class
    Solution) to call. ``starter_code`` is what the model is given to continue; ``prelude`` is what the
    judge runs before the program (usual imports of call-based TACO tasks). ``solutions`` are known
    right programs, the canonical one first, ``incorrect_solutions`` known wrong ones. ``contradiction`` is
    why the problem is flagged contradictory, ``benchmark_sha256`` the digest of the file of a user's own benchmark.

    ``rule`` is how the data set is judged by equality; ``stated`` takes its place where the statement says another, and
    ``checker`` decides where neither accepts. The last ``generated_tests`` of the hidden tests are nobody's: they were
    made by changing others, or may have been. ``invalid_tests`` counts those that were left out, since their input
    breaks the statement.
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
    benchmark_sha256: str = ""
    stated: MatchRule | None = None
    checker: Checker | None = None
    generated_tests: int = 0
    invalid_tests: int = 0

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

    def without_tests(self, numbers: Set[int]) -> "Problem":
        """Return the problem without the tests of these numbers, counted from 0 over public and hidden ones."""
        public = len(self.public_tests)
        generated = public + len(self.hidden_tests) - self.generated_tests
        hidden = tuple(one for number, one in enumerate(self.hidden_tests, public) if number not in numbers)
        return replace(
            self,
            public_tests=tuple(one for number, one in enumerate(self.public_tests) if number not in numbers),
            hidden_tests=hidden,
            generated_tests=self.generated_tests - sum(number >= generated for number in numbers),
            invalid_tests=self.invalid_tests + len(numbers),
            flags=self.flags if hidden else (*self.flags, Flag.NO_HIDDEN_TESTS),
        )

    @property
    def is_checked(self) -> bool:
        """Whether more outputs are right than those that equal the expected one, and a checker knows them."""
        return self.checker is not None and self.checker.checks

    @property
    def name(self) -> str:
        """The id without the benchmark's prefix."""
        return self.id.split("/", 1)[1]
