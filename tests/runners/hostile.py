"""Hostile programs: folders of tests/hostile, each a program.py and an expect.yaml, and judging one of them.

>>> arena = Arena(executor, Canaries(folder))
>>> arena.judge(hostile_programs()["cheat_nan"]).verdict
<Verdict.WRONG_ANSWER: 'wrong_answer'>

Kinds: a cheat wants a verdict it has not earned, an escape wants out of the sandbox, an abuse wants to use
it up, and a legal program must pass. An escape prints ``denied`` if every attempt was refused and ESCAPED
if one was not; the canaries are the second proof. Programs are bytes and may be no Python at all.

Inputs and outputs of tests may hold $names, which ``Canaries.names`` fills in, and $nonce, an expected
answer that is nowhere but in the judge; ``repeat`` stands for text too long to be written down. It does
not know how programs are run.
"""

import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import yaml
from canaries import Canaries
from pydantic import BaseModel, ConfigDict, Field

from turnwise.benchmarks import values
from turnwise.records.problem import Comparison, Limits, MatchRule, Problem, TestCase
from turnwise.records.report import Report, Verdict
from turnwise.runners.execution.interface import Closable, Execution, Executor, Program, Session
from turnwise.runners.judging.judge import Judge

FOLDER = Path(__file__).resolve().parents[1] / "hostile"
_CLOSED = ConfigDict(extra="forbid", frozen=True)


class Kind(StrEnum):
    """What a program is after."""

    CHEAT = "cheat"
    ESCAPE = "escape"
    ABUSE = "abuse"
    LEGAL = "legal"


class Form(StrEnum):
    """How a program is run: once per input, or as a function that is called."""

    STDIN = "stdin"
    FUNCTION = "function"


class ExpectedTest(BaseModel):
    """One test: texts for stdin programs; a list of arguments and a result for functions."""

    model_config = _CLOSED

    input: Any
    output: Any


class ExpectedLimits(BaseModel):
    """Limits of one test, small, so that the whole set is quick."""

    model_config = _CLOSED

    time_limit_seconds: float = Field(default=1.0, gt=0, le=5)
    memory_limit_bytes: int = Field(default=256_000_000, gt=0)
    output_limit_bytes: int = Field(default=4 << 20, gt=0)


class Repeat(BaseModel):
    """A text that stands ``times`` times where the program or a test holds ``mark``."""

    model_config = _CLOSED

    mark: str = Field(min_length=3)
    text: str
    times: int = Field(gt=1)


class Expectation(BaseModel):
    """What expect.yaml says; ``every_tier``: isolation tiers differ in how they meet this program.

    The first test is public and the others are hidden. ``tiers`` replaces the acceptable verdicts where a
    tier's differ; ``input_file`` gives the program a folder to write in, ``oracle`` has its result compared by
    evalplus's rule of that name, ``digest`` by the digest that is kept of the expected one; ``needs`` names packages
    that the judged interpreter must have. ``rest`` names the file of tests/hostile that goes on where program.py ends,
    for programs that differ in a few lines alone.
    """

    model_config = _CLOSED

    kind: Kind
    form: Form
    why: str = Field(min_length=10)
    entry_point: str = ""
    input_file: str = ""
    oracle: str = ""
    digest: bool = False
    rest: str = ""
    tests: list[ExpectedTest] = Field(min_length=1)
    verdicts: list[Verdict] = Field(min_length=1)
    limits: ExpectedLimits = ExpectedLimits()
    needs: list[str] = []
    every_tier: bool = False
    tiers: dict[str, list[Verdict]] = {}
    repeat: list[Repeat] = []

    def verdicts_in(self, tier: str) -> frozenset[Verdict]:
        """Return the verdicts that are right in ``tier``."""
        return frozenset(self.tiers.get(tier, self.verdicts))

    def expand(self, text: str) -> str:
        """Return ``text`` with every mark of ``repeat`` replaced."""
        for one in self.repeat:
            text = text.replace(one.mark, one.text * one.times)
        return text


@dataclass(frozen=True, slots=True)
class HostileProgram:
    """One folder: its name, its program as it will be judged, what is expected of it."""

    name: str
    source: bytes
    expected: Expectation

    def problem(self, names: dict[str, str]) -> Problem:
        """Return the problem that the program claims to solve, ``names`` filled in."""
        calls = self.expected.form is Form.FUNCTION
        tests = tuple(self._test(test, names, calls=calls) for test in self.expected.tests)
        return Problem(
            id=f"hostile/{self.name}",
            benchmark="hostile",
            split="test",
            statement=self.expected.why,
            public_tests=tests[:1],
            hidden_tests=tests[1:],
            limits=Limits(**self.expected.limits.model_dump()),
            rule=self._rule(calls=calls),
            entry_point=self.expected.entry_point,
            input_file=self.expected.input_file,
        )

    def _rule(self, *, calls: bool) -> MatchRule:
        if self.expected.oracle or self.expected.digest:
            return MatchRule(comparison=Comparison.EVALPLUS, oracle=self.expected.oracle, tolerance=0)
        return MatchRule(comparison=Comparison.VALUE if calls else Comparison.TEXT)

    def _test(self, test: ExpectedTest, names: dict[str, str], *, calls: bool) -> TestCase:
        given, wanted = _filled(test.input, names, self.expected), _filled(test.output, names, self.expected)
        if not calls:
            return TestCase(given, wanted)
        shown = values.dumps_or_digest(wanted, most=0) if self.expected.digest else values.dumps(wanted)
        return TestCase(values.dumps(given), shown)


@cache
def hostile_programs() -> dict[str, HostileProgram]:
    """Return every program by the name of its folder; raises pydantic's error for a bad expect.yaml."""
    return {folder.name: read_program(folder) for folder in sorted(FOLDER.iterdir()) if folder.is_dir()}


def read_program(folder: Path) -> HostileProgram:
    """Return the program of one folder."""
    expected = Expectation.model_validate(yaml.safe_load((folder / "expect.yaml").read_text(encoding="utf-8")))
    source = (folder / "program.py").read_bytes()
    if expected.rest:
        source += b"\n\n" + (FOLDER / expected.rest).read_bytes()
    for one in expected.repeat:
        source = source.replace(one.mark.encode(), one.text.encode() * one.times)
    return HostileProgram(folder.name, source, expected)


@dataclass(slots=True)
class Recorder:
    """An executor that runs ``source`` through another one and keeps every execution whole."""

    inner: Executor
    source: bytes
    executions: list[Execution] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The other's name."""
        return self.inner.name

    @property
    def tier(self) -> str:
        """The other's tier."""
        return self.inner.tier

    @property
    def interpreter(self) -> str:
        """The other's interpreter."""
        return self.inner.interpreter

    def open(self, program: Program, language: str, limits: Limits) -> Session:
        """Return a session for the exact bytes, which may be no text."""
        session = self.inner.open(replace(program, source=self.source), language, limits)
        return _RecordedSession(session, self.executions)

    def seen(self) -> str:
        """Return all that left the sandbox, as text."""
        return "\n".join(one.output.decode("latin-1") + "\n" + one.error for one in self.executions)


@dataclass(slots=True)
class _RecordedSession(Closable):
    inner: Session
    executions: list[Execution]

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        for execution in self.inner.run(inputs):
            self.executions.append(execution)
            yield execution

    def close(self) -> None:
        self.inner.close()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One hostile program judged: the report, and what the canaries and the output betray."""

    report: Report
    traces: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """The overall verdict."""
        return self.report.verdict


_RIGHT = (
    HostileProgram(
        "right",
        b"import heapq, json, re, sys\nprint(2 * int(input()))",
        Expectation(
            kind=Kind.LEGAL,
            form=Form.STDIN,
            why="Shows that the executor still works.",
            tests=[ExpectedTest(input="4\n", output="8\n")],
            verdicts=[Verdict.PASSED],
        ),
    ),
    HostileProgram(
        "right_function",
        b"import json\ndef f(x): return [json.loads(x), print(x)]",
        Expectation(
            kind=Kind.LEGAL,
            form=Form.FUNCTION,
            entry_point="f",
            why="Shows that the executor still works.",
            tests=[ExpectedTest(input=["[1]"], output=[[1], None])],
            verdicts=[Verdict.PASSED],
        ),
    ),
)
_NUMPY = replace(_RIGHT[0], name="right_numpy", source=b"import numpy\nprint(2 * int(input()))")
_WRITABLE = replace(
    _RIGHT[0], name="right_file", expected=_RIGHT[0].expected.model_copy(update={"input_file": "in.txt"})
)


class Arena:
    """An executor among canaries; the first programs, which are right, show what it keeps open for good."""

    def __init__(self, executor: Executor, canaries: Canaries) -> None:
        self._executor = executor
        self._canaries = canaries
        self.packages = tuple(part.split()[0] for part in executor.interpreter.split(", ")[1:])
        self._run_right_ones()
        self._judge(_WRITABLE, {})
        if "numpy" in self.packages:
            self._judge(_NUMPY, {})
        canaries.settle()

    def judge(self, program: HostileProgram) -> Outcome:
        """Judge ``program``, then look at the canaries, and let the executor prove that it still works."""
        nonce = f"answer-{secrets.token_hex(16)}"
        recorder, report = self._judge(program, {**self._canaries.names, "nonce": nonce})
        seen = recorder.seen()
        traces = list(self._canaries.traces(seen))
        if nonce in seen:
            traces.append("it knows the expected answer")
        if program.expected.kind is Kind.ESCAPE and "ESCAPED" in seen:
            traces.append(f"it says that it escaped: {seen[:300]!r}")
        traces += self._run_right_ones()
        return Outcome(report, tuple(traces))

    def _judge(self, program: HostileProgram, names: dict[str, str]) -> tuple[Recorder, Report]:
        recorder = Recorder(self._executor, program.source)
        judge = Judge(recorder)
        try:
            return recorder, judge.judge(program.problem(names), "")
        finally:
            judge.close()

    def _run_right_ones(self) -> list[str]:
        reports = {program.name: self._judge(program, {})[1] for program in _RIGHT}
        return [
            f"the next program, {name}, is judged {report.verdict}: {report.error or report.public}"
            for name, report in reports.items()
            if not report.passed
        ]


def _filled(value: Any, names: dict[str, str], expected: Expectation) -> Any:
    """Return ``value`` with $names and marks filled in wherever it holds text."""
    if isinstance(value, str):
        return Template(expected.expand(value)).safe_substitute(names)
    if isinstance(value, list):
        return [_filled(one, names, expected) for one in value]
    return value


def first_line(program: HostileProgram) -> str:
    """Return the program's first line, which says what it attempts (after #!, BOM or cookie: the first two)."""
    return os.linesep.join(program.source.decode("latin-1").split("\n", 2)[:2])
