"""The verdict cache: reports by verdict key, in one append-only file of JSON lines.

The key covers everything that can change a verdict (interfaces: program, language, tests, limits,
matcher, interpreter and numpy, executor and version, tier), so a cache can be shared by runs. Reports
with an infrastructure failure are never stored. A torn last line, as kill -9 leaves it, is ignored.
"""

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from turnwise.benchmarks.records import Environment, Problem, Report, TestCase, Verdict
from turnwise.runners.execution.interface import Program


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
    """A cache in the file ``path``, read once at the start; safe for threads of one process."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._reports: dict[str, Report] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            self._load(path)
        self._file = path.open("ab")
        if self._file.tell() and not _ends_with_newline(path):
            self._file.write(b"\n")

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
        line = json.dumps({"key": key, "report": report.to_json()}, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            self._reports[key] = report
            self._file.write(line)
            self._file.flush()

    def close(self) -> None:
        """Make sure that what was stored survives a power cut, and close the file."""
        with self._lock:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

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
    tests: tuple[TestCase, ...],
    environment: Environment,
    *,
    language: str,
) -> str:
    """Return the hexadecimal sha256 of all that can change the verdict of ``program`` on ``tests``."""
    total = hashlib.sha256()
    for part in (
        program.source,
        *(text.encode() for text in (program.entry_point, program.prelude, program.input_file)),
        *(text.encode() for text in (program.output_file, language, problem.id)),
        _canonical(problem.limits.to_json()),
        _canonical(problem.rule.to_json()),
        _canonical(environment.to_json()),
        _canonical({"public": len(problem.public_tests), "tests": [test.to_json() for test in tests]}),
    ):
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()


def _canonical(data: Mapping[str, object]) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
