"""The verdict cache: reports by verdict key, in append-only files of JSON lines.

The key covers everything that can change a verdict (interfaces: program, language, tests, limits,
matcher, interpreter and numpy, executor and version, tier), so a cache can be shared by runs. Reports
with an infrastructure failure are never stored. A torn last line, as kill -9 leaves it, is ignored.
"""

import hashlib
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from turnwise.benchmarks.records import Environment, Problem, Report, Verdict
from turnwise.runners.execution.interface import Program
from turnwise.runners.logs import AppendLog


class VerdictCache(Protocol):
    """Where reports are kept by key."""

    def get(self, key: str) -> Report | None:
        """Return the report stored under ``key``, or None."""
        ...

    def put(self, key: str, report: Report) -> None:
        """Store ``report``; one that shows an infrastructure failure is not kept."""
        ...


class NoCache:
    """Keeps nothing: what parity tests use."""

    def get(self, key: str) -> Report | None:  # noqa: ARG002 - the protocol's signature
        """Return None."""
        return None

    def put(self, key: str, report: Report) -> None:
        """Forget ``report``."""


class JsonLinesCache:
    """A cache in ``<folder>/<worker>.jsonl`` that knows all ``*.jsonl`` there, read once at the start.

    Safe for threads of one process; each process appends to the file of its own ``worker`` name.
    """

    def __init__(self, folder: Path, worker: str) -> None:
        self._lock = threading.Lock()
        self._reports: dict[str, Report] = {}
        for path in sorted(folder.glob("*.jsonl")):
            self._load(path)
        self.log = AppendLog(folder / f"{worker}.jsonl")

    def get(self, key: str) -> Report | None:
        """Return the report stored under ``key``, or None."""
        with self._lock:
            return self._reports.get(key)

    def put(self, key: str, report: Report) -> None:
        """Append ``report`` unless it shows an infrastructure failure."""
        results = report.public + (report.hidden or ())
        if any(result.verdict is Verdict.INFRASTRUCTURE_FAILURE for result in results):
            return
        if report.verdict is Verdict.INFRASTRUCTURE_FAILURE:
            return
        line = json.dumps({"key": key, "report": report.to_json()}, separators=(",", ":"))
        with self._lock:
            self._reports[key] = report
        self.log.write(line)

    def close(self) -> None:
        """Make sure that what was stored survives a power cut, and close the file."""
        self.log.close()

    def _load(self, path: Path) -> None:
        with path.open("rb") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                    self._reports[entry["key"]] = Report.from_json(entry["report"])
                except (ValueError, KeyError, TypeError):
                    continue  # a torn line: that program is judged again


def verdict_key(
    problem: Problem,
    program: Program,
    tests: bytes,
    environment: Environment,
    *,
    language: str,
) -> str:
    """Return the hexadecimal sha256 of all that can change the verdict of ``program`` on ``tests`` (a digest)."""
    total = hashlib.sha256(tests)
    for part in (
        program.source,
        *(text.encode() for text in (program.entry_point, program.prelude, program.input_file)),
        *(text.encode() for text in (program.output_file, language, problem.id)),
        _canonical(problem.limits.to_json()),
        _canonical(problem.rule.to_json()),
        _canonical(environment.to_json()),
    ):
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()


def digest_tests(problem: Problem, *, hidden: bool) -> bytes:
    """Return the sha256 of the tests of ``problem``, of all or of the public ones."""
    tests = problem.public_tests + (problem.hidden_tests if hidden else ())
    data = {"public": len(problem.public_tests), "tests": [test.to_json() for test in tests]}
    return hashlib.sha256(_canonical(data)).digest()


def _canonical(data: Mapping[str, object]) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
