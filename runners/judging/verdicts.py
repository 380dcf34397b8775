"""The verdict cache: reports by verdict key, shared by the workers and runs of a user.

    <folder>/<problem>/<writer>.jsonl     one line per judged program: {"key", "cpu", "report"}

The key covers everything that can change a verdict (program, language, tests, limits, matcher and the code
that compares, interpreter and numpy, executor and version, tier), so what one run judged another need not. Each
file has one writer, which holds the lock of its name, so network file systems do no harm; what others
wrote is read when a problem is first judged. Reports with an infrastructure failure are never stored; one with a
time limit is used on CPUs of the same model only, since a faster one may be in time. A torn last line, as kill -9
leaves it, is ignored, and the whole folder may be deleted at any time.
"""

import fcntl
import hashlib
import json
import os
import platform
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from turnwise.benchmarks import digests, equality, integers, matching, oracles, results, values
from turnwise.json_text import json_line
from turnwise.records.codec import from_json, to_json
from turnwise.records.problem import Problem
from turnwise.records.report import Environment, Report, Verdict
from turnwise.runners.execution.host import cpu_model
from turnwise.runners.execution.interface import Program
from turnwise.runners.logs import AppendLog

MOST_REPORTS = 100_000  # that a SharedCache holds in memory: about 1 KB each
_MOST_LOGS = 256  # that it holds open, a file descriptor each
_COMPARING = (digests, equality, integers, matching, oracles, results, values)


class VerdictCache(Protocol):
    """Where reports are kept by problem and key."""

    def get(self, problem: str, key: str) -> Report | None:
        """Return the report stored under ``key``, or None."""
        ...

    def cpu(self, problem: str, key: str) -> str:
        """Return the model name of the CPU on which the report under ``key`` was made, by default this one's."""
        ...

    def put(self, problem: str, key: str, report: Report) -> None:
        """Store ``report``; one that shows an infrastructure failure is not kept."""
        ...


class NoCache:
    """Keeps nothing: what parity tests use."""

    def get(self, problem: str, key: str) -> Report | None:  # noqa: ARG002 - the protocol's signature
        """Return None."""
        return None

    def cpu(self, problem: str, key: str) -> str:  # noqa: ARG002 - the protocol's signature
        """Return this machine's."""
        return cpu_model()

    def put(self, problem: str, key: str, report: Report) -> None:
        """Forget ``report``."""


class RecentCache:
    """The ``most`` reports that were used last, in memory alone; safe for the threads of one process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._reports: OrderedDict[tuple[str, str], Report] = OrderedDict()

    def get(self, problem: str, key: str) -> Report | None:
        """Return the report stored under ``key``, or None."""
        with self._lock:
            report = self._reports.get((problem, key))
            if report is not None:
                self._reports.move_to_end((problem, key))
        return report

    def cpu(self, problem: str, key: str) -> str:  # noqa: ARG002 - the protocol's signature
        """Return this machine's: whatever is stored was made here."""
        return cpu_model()

    def put(self, problem: str, key: str, report: Report) -> None:
        """Store ``report`` unless it shows an infrastructure failure, and forget the one that was not used longest."""
        if _is_spoiled(report):
            return
        with self._lock:
            self._reports[problem, key] = report
            self._reports.move_to_end((problem, key))
            while len(self._reports) > self._most:
                self._reports.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Entry:
    report: Report
    cpu: str


class SharedCache:
    """A cache in ``folder``; safe for the threads of one process and for any number of processes.

    ``cpu`` is the model name of the CPU that judges here. About ``most`` reports are held in memory: beyond that,
    those of the problems that were not used longest are forgotten, and read again where they are needed.
    """

    def __init__(self, folder: Path, *, cpu: str = "", most: int = MOST_REPORTS) -> None:
        self._folder = folder
        self._cpu = cpu or cpu_model()
        self._most = most
        self._lock = threading.Lock()
        self._reports: OrderedDict[str, dict[str, _Entry]] = OrderedDict()
        self._held = 0
        self._logs: OrderedDict[str, AppendLog] = OrderedDict()
        self._writer, self._claim = _claim_name(folder)

    def get(self, problem: str, key: str) -> Report | None:
        """Return the report stored under ``key``, or None."""
        with self._lock:
            entry = self._known(problem).get(key)
        return entry.report if entry is not None else None

    def cpu(self, problem: str, key: str) -> str:
        """Return the model name of the CPU on which the report under ``key`` was made, by default this one's."""
        with self._lock:
            entry = self._known(problem).get(key)
        return entry.cpu if entry is not None else self._cpu

    def put(self, problem: str, key: str, report: Report) -> None:
        """Append ``report`` unless it shows an infrastructure failure."""
        if _is_spoiled(report):
            return
        line = json_line({"key": key, "cpu": self._cpu, "report": to_json(report)})
        with self._lock:
            known = self._known(problem)
            self._held += key not in known
            known[key] = _Entry(report, self._cpu)
            self._log(problem).write(line)

    def close(self) -> None:
        """Close the files and give the writer's name back; what a power cut takes is judged again."""
        with self._lock:
            for log in self._logs.values():
                log.close()
            self._logs.clear()
            if self._claim is not None:
                os.close(self._claim)
                self._claim = None

    def _place(self, problem: str) -> Path:
        return self._folder / hashlib.sha256(problem.encode()).hexdigest()[:16]

    def _known(self, problem: str) -> dict[str, _Entry]:
        """Return what is known of ``problem``, read where it is not in memory; others may be forgotten for it."""
        if problem not in self._reports:
            found: dict[str, _Entry] = {}
            for path in sorted(self._place(problem).glob("*.jsonl")):
                found.update(_read(path, self._cpu))
            self._reports[problem] = found
            self._held += len(found)
        self._reports.move_to_end(problem)
        while self._held > self._most and len(self._reports) > 1:
            self._held -= len(self._reports.popitem(last=False)[1])
        return self._reports[problem]

    def _log(self, problem: str) -> AppendLog:
        """Return the file in which what is judged of ``problem`` is written."""
        if problem not in self._logs:
            self._logs[problem] = AppendLog(self._place(problem) / f"{self._writer}.jsonl")
        self._logs.move_to_end(problem)
        if len(self._logs) > _MOST_LOGS:
            self._logs.popitem(last=False)[1].close()
        return self._logs[problem]


def _claim_name(folder: Path) -> tuple[str, int | None]:
    """Return a writer's name that no other living process has, and the descriptor that holds it."""
    (folder / "writers").mkdir(parents=True, exist_ok=True)
    host = platform.node() or "host"
    number = 0
    while True:
        descriptor = os.open(folder / "writers" / f"{host}-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            number += 1
        except OSError:  # a file system without locks: a name that nobody can have had
            os.close(descriptor)
            return f"{host}-{os.getpid()}-{time.time_ns()}", None
        else:
            return f"{host}-{number}", descriptor


def _read(path: Path, cpu: str) -> dict[str, _Entry]:
    """Return the entries that are of use on a CPU of the model ``cpu``."""
    found = {}
    with path.open("rb") as lines:
        for line in lines:
            try:
                entry: dict[str, object] = json.loads(line)
                report, made_on = from_json(Report, entry["report"]), str(entry.get("cpu", ""))
                if made_on == cpu or not _has_time_limit(report):
                    found[str(entry["key"])] = _Entry(report, made_on)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # a torn line: that program is judged again
    return found


def _has_time_limit(report: Report) -> bool:
    return Verdict.TIME_LIMIT in _verdicts(report)


def _is_spoiled(report: Report) -> bool:
    return Verdict.INFRASTRUCTURE_FAILURE in _verdicts(report)


def _verdicts(report: Report) -> list[Verdict]:
    return [report.verdict, *(result.verdict for result in report.public + (report.hidden or ()))]


@cache
def comparing_code() -> bytes:
    """Return the sha256 of the modules that compare: what another version of them said is not taken for this one's."""
    return hashlib.sha256(b"".join(Path(str(one.__file__)).read_bytes() for one in _COMPARING)).digest()


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
        comparing_code(),
        program.source,
        *(text.encode() for text in (program.entry_point, program.prelude, program.input_file)),
        *(text.encode() for text in (program.output_file, language, problem.id)),
        _canonical(to_json(problem.limits)),
        _canonical(to_json(problem.rule)),
        _canonical(to_json(environment)),
        *([bytes.fromhex(problem.benchmark_sha256)] if problem.benchmark_sha256 else []),
        *([_canonical({"stated": to_json(problem.stated)})] if problem.stated else []),
        *([bytes.fromhex(problem.checker.sha256)] if problem.is_checked and problem.checker else []),
    ):
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()


def digest_tests(problem: Problem, *, hidden: bool) -> bytes:
    """Return the sha256 of the tests of ``problem``, of all or of the public ones."""
    tests = problem.public_tests + (problem.hidden_tests if hidden else ())
    data = {"public": len(problem.public_tests), "tests": [to_json(test) for test in tests]}
    return hashlib.sha256(_canonical(data)).digest()


def _canonical(data: Mapping[str, object]) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
