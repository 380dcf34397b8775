"""Decoys: failing programs of other problems, from which the feedback ``random`` is made (arXiv 2410.02089).

>>> pool.choose("codecontests/1575_A", seed=7).problem.id
'codecontests/1575_B'

The choice is a fixed function of the seed: any problem of the pool but the dialogue's own, then any of its
programs. Running a decoy is the driver's business; it never sees the dialogue's own tests, nor hidden ones.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from turnwise.errors import TurnwiseError
from turnwise.records.problem import Problem
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.records.settings import DecoySource

_NOT_IMPLEMENTED = (
    "Traceback (most recent call last):\n"
    '  File "solution.py", line 1, in <module>\n'
    "    raise NotImplementedError\n"
    "NotImplementedError"
)


@dataclass(frozen=True, slots=True)
class Decoy:
    """A program that is said to be wrong, and the problem it was written for."""

    problem: Problem
    program: str


class DecoyPool:
    """The decoys of a run, by problem; ``source`` says where they came from.

    Raises TurnwiseError unless there are decoys of two problems at least.
    """

    def __init__(self, decoys: Iterable[Decoy], *, source: str) -> None:
        self.source = source
        self._by_problem: dict[str, list[Decoy]] = {}
        for decoy in decoys:
            self._by_problem.setdefault(decoy.problem.id, []).append(decoy)
        if len(self._by_problem) < 2:
            raise TurnwiseError(
                f"The feedback random needs incorrect programs of two problems at least, and {source} has those of "
                f"{len(self._by_problem)}: give a file of them with --incorrect-programs."
            )

    @property
    def digest(self) -> str:
        """The sha256 of all problems' ids and programs."""
        programs = {name: [one.program for one in decoys] for name, decoys in sorted(self._by_problem.items())}
        return hashlib.sha256(json.dumps(programs, sort_keys=True).encode()).hexdigest()

    @property
    def splits(self) -> frozenset[str]:
        """The splits of the problems that its programs were written for."""
        return frozenset(decoy.problem.split for decoys in self._by_problem.values() for decoy in decoys)

    def to_record(self) -> DecoySource:
        """Return what run.json says of the pool."""
        programs = sum(map(len, self._by_problem.values()))
        return DecoySource(self.source, len(self._by_problem), programs, self.digest)

    def choose(self, problem_id: str, *, seed: int) -> Decoy:
        """Return the decoy for a dialogue about ``problem_id``; equal arguments give the same one."""
        generator = np.random.default_rng(seed)
        others = [name for name in sorted(self._by_problem) if name != problem_id]
        decoys = self._by_problem[others[generator.integers(len(others))]]
        return decoys[generator.integers(len(decoys))]


def failing_report(decoy: Decoy, report: Report) -> Report:
    """Return ``report``, or where no public test fails one in which the first raised NotImplementedError."""
    if not report.public_passed:
        return report
    return unimplemented(decoy.problem, report.environment)


def unimplemented(problem: Problem, environment: Environment) -> Report:
    """Return the report on a program that only raises NotImplementedError."""
    results = (TestResult(0, Verdict.RUNTIME_ERROR, error=_NOT_IMPLEMENTED),)
    return Report(problem.id, Verdict.RUNTIME_ERROR, results, None, environment)
