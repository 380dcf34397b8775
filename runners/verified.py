"""Which problems of a training task are asked: by default those whose own correct solutions pass the judge.

A reward that refuses right programs teaches the wrong thing. What ``turnwise verify`` finds lies in the user's cache:

    verified/<key>.jsonl     one line per problem (records/own_solutions.py); the last one of a problem holds

The key covers the data, the benchmark, the judge, the code that compares, and how many solutions are judged. The
tasks over one split have one file. A run that has begun goes by its run.json first: workers on other nodes, and the
same line months later, ask the same problems. Judging solutions is the business of verification.py.
"""

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from turnwise.benchmarks.catalog import ProblemSet
from turnwise.benchmarks.own import is_benchmark_file
from turnwise.errors import TurnwiseError
from turnwise.files import lines_of
from turnwise.json_text import json_line
from turnwise.records.codec import from_json, to_json
from turnwise.records.own_solutions import Finding, VerifiedProblem
from turnwise.records.run_folder import RunFolder, TaskRecord
from turnwise.records.settings import DEFAULT_OWN_SOLUTIONS, JudgeRecord, JudgeSettings
from turnwise.runners.execution.interface import Executor
from turnwise.runners.judging.judge import Judge, judge_record
from turnwise.runners.judging.verdicts import comparing_code
from turnwise.tasks.catalog import Task

ASK_ALL = "--metadata '{\"own_solutions\": 0}'"
_LONGEST_LINE = 2**20  # bytes
_OF_JUDGE = ("matcher", "time_factor", "interpreter", "answers", "tests")


@dataclass(frozen=True, slots=True)
class VerifiedProblems:
    """What is known of problems whose ``solutions`` first own solutions ``judge`` judged; ``run`` is the run asked."""

    executor: Executor
    cache_dir: Path
    judge: JudgeSettings
    solutions: int = DEFAULT_OWN_SOLUTIONS
    data_dir: Path | None = None
    run: Path | None = None

    def find(self, task: Task, source: ProblemSet) -> Mapping[str, Finding]:
        """Return what was found of each problem by id: as the run says that has begun, or else as the cache has it."""
        cached = read_verified(self.file(task, source))
        return {**{name: one.finding for name, one in cached.items()}, **self._recorded(task, source)}

    def file(self, task: Task, source: ProblemSet) -> Path:
        """Return the file of the cache that holds, or will hold, what is found."""
        parts = {
            "data": source.digest,
            "benchmark": [task.benchmark.name, task.benchmark.sha256, task.split],
            "judge": to_json(self.judge_record()),
            "comparing": comparing_code().hex(),
            "solutions": self.solutions,
        }
        key = hashlib.sha256(json_line(parts).encode()).hexdigest()
        return self.cache_dir / "verified" / f"{key}.jsonl"

    def judge_record(self) -> JudgeRecord:
        """Return who judges, and how."""
        return judge_record(Judge(self.executor, matcher=self.judge.matcher).environment, self.judge)

    def refusal(self, task: Task, count: int) -> TurnwiseError:
        """Return the error on ``count`` problems of which nothing is known: it names the command to run."""
        return TurnwiseError(
            f"The own solutions of {count} problems of {task.name} have not been judged by this judge: run "
            f"{self._command(task)}, or ask all problems by {ASK_ALL}."
        )

    def _recorded(self, task: Task, source: ProblemSet) -> dict[str, Finding]:
        """Return what the run.json of the run says, {} where it has not begun, or is another one."""
        if self.run is None or not RunFolder(self.run).run_json.exists():
            return {}
        record = next((one for one in RunFolder(self.run).record.tasks if one.task == task.name), None)
        if record is None or record.own_solutions != self.solutions or record.data_sha256 != source.digest:
            return {}
        return findings_of(record)

    def _command(self, task: Task) -> str:
        """Return the line of ``turnwise verify`` that finds out what is not known."""
        words = ["turnwise", "verify", "-t", task.name]
        for name in _OF_JUDGE:
            if (value := getattr(self.judge, name)) != getattr(JudgeSettings(), name):
                words += [f"--{name.replace('_', '-')}", str(value)]
        words += ["--stub-imports"] if self.judge.stub_imports else []
        words += ["--solutions", str(self.solutions)] if self.solutions != DEFAULT_OWN_SOLUTIONS else []
        words += ["--benchmark", task.benchmark.origin] if is_benchmark_file(task.benchmark.origin) else []
        words += ["--data-dir", str(self.data_dir)] if self.data_dir is not None else []
        return shlex.join(words)


def findings_of(record: TaskRecord) -> dict[str, Finding]:
    """Return what run.json says of the problems of a task: those that are asked are kept, others say why not."""
    known = {finding.value: finding for finding in Finding}
    left_out = {name: known[flags[-1]] for name, flags in record.left_out.items() if flags and flags[-1] in known}
    return {**left_out, **{problem.id: Finding.KEPT for problem in record.asked}}


def read_verified(path: Path) -> dict[str, VerifiedProblem]:
    """Return what a file of the cache says of problems, by id; a torn line is passed over, and judged again."""
    found: dict[str, VerifiedProblem] = {}
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return found
    with file:
        for line in lines_of(file, longest=_LONGEST_LINE):
            try:
                problem = from_json(VerifiedProblem, json.loads(line))
            except (ValueError, RecursionError):
                continue
            found[problem.problem] = problem
    return found
