"""Expected outputs that a data set does not hold: computed once from the canonical solution, and kept.

HumanEval+ and MBPP+ give inputs and a canonical solution. It runs inside an executor like any program;
its results become the tests' expected outputs, its slowest call sets the time limit, max(4 s, 4 x that
call), and its largest result the output limit, max(64 MiB, twice that). They are cached as compressed
JSON, one file per problem, named by the hash of what decides them (canonical solution, prelude, inputs,
rule, interpreter), written to a temporary name and renamed.
"""

import gzip
import hashlib
import json
import os
import threading
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from turnwise.benchmarks import values
from turnwise.benchmarks.limits import (
    FUNCTION_MEMORY_LIMIT_BYTES,
    FUNCTION_TIME_FACTOR,
    FUNCTION_TIME_LIMIT_SECONDS,
    OUTPUT_LIMIT_BYTES,
    Limits,
)
from turnwise.benchmarks.oracles import NOT_NONE
from turnwise.benchmarks.records import Problem, TestCase
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.runners.execution.interface import PYTHON, Ending, Executor
from turnwise.runners.judge import program_of

CANONICAL_TIME_LIMIT_SECONDS = 60.0
CANONICAL_OUTPUT_LIMIT_BYTES = 16 * OUTPUT_LIMIT_BYTES

_MACHINE_ENDINGS = (Ending.STARVED, Ending.INFRASTRUCTURE)


@dataclass(frozen=True, slots=True)
class _Canonical:
    outputs: tuple[str, ...]
    cpu_seconds: float


def default_cache_dir(environ: dict[str, str]) -> Path:
    """Return where computed things are kept: TURNWISE_CACHE, else XDG_CACHE_HOME/turnwise, else ~/.cache/turnwise."""
    if environ.get("TURNWISE_CACHE"):
        return Path(environ["TURNWISE_CACHE"])
    try:
        return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "turnwise"
    except RuntimeError:  # no HOME, and a user without an entry
        raise TurnwiseError(
            "There is no home folder to keep computed things in: set TURNWISE_CACHE to a folder."
        ) from None


def resolve_expected(
    problems: Sequence[Problem],
    executor: Executor,
    *,
    cache_dir: Path,
    workers: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Problem, ...]:
    """Return ``problems`` with every expected output filled in, and limits where those come from it.

    Raises TurnwiseError if a canonical solution fails, InfrastructureError if the machine does.
    """
    folder = cache_dir / "expected"
    done = 0
    resolved = []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for problem in pool.map(lambda problem: _resolve(problem, executor, folder), problems):
            resolved.append(problem)
            done += 1
            if on_progress is not None:
                on_progress(done, len(problems))
    return tuple(resolved)


def _resolve(problem: Problem, executor: Executor, folder: Path) -> Problem:
    tests = problem.public_tests + problem.hidden_tests
    if all(test.output is not None for test in tests):
        return problem
    path = folder / f"{_fingerprint(problem, executor)}.json.gz"
    canonical = _read(path, len(tests))
    if canonical is None:
        canonical = _compute(problem, executor)
        _write(path, problem, canonical)
    filled = [TestCase(test.input, output) for test, output in zip(tests, canonical.outputs, strict=True)]
    public = len(problem.public_tests)
    seconds = max(FUNCTION_TIME_LIMIT_SECONDS, FUNCTION_TIME_FACTOR * canonical.cpu_seconds)
    size = max(OUTPUT_LIMIT_BYTES, 2 * max(map(len, canonical.outputs)))
    return replace(
        problem,
        public_tests=tuple(filled[:public]),
        hidden_tests=tuple(filled[public:]),
        limits=replace(problem.limits, time_limit_seconds=seconds, output_limit_bytes=size),
    )


def _compute(problem: Problem, executor: Executor) -> _Canonical:
    limits = Limits(CANONICAL_TIME_LIMIT_SECONDS, FUNCTION_MEMORY_LIMIT_BYTES, CANONICAL_OUTPUT_LIMIT_BYTES)
    tests = problem.public_tests + problem.hidden_tests
    outputs: list[str] = []
    slowest = 0.0
    with executor.open(program_of(problem, problem.solutions[0]), PYTHON, limits) as session:
        for execution in session.run(test.input.encode("ascii") for test in tests):
            if execution.ending is not Ending.FINISHED:
                kind = InfrastructureError if execution.ending in _MACHINE_ENDINGS else TurnwiseError
                reason = execution.error.strip().splitlines()[-1:] or [""]
                raise kind(
                    f"The canonical solution of {problem.id} fails on its input {len(outputs)} "
                    f"({execution.ending}: {reason[0]}): the data file or the interpreter "
                    f"({executor.interpreter}) is not the one the data set was made with."
                )
            outputs.append(_expected(problem, execution.output.decode("ascii")))
            slowest = max(slowest, execution.cpu_seconds)
    return _Canonical(tuple(outputs), slowest)


def _expected(problem: Problem, output: str) -> str:
    """Of tasks judged only as "not None" the expected output is that truth value (evalplus's rule)."""
    if problem.rule.oracle == NOT_NONE:
        return values.dumps(values.loads(output) is not None)
    return output


def _fingerprint(problem: Problem, executor: Executor) -> str:
    tests = problem.public_tests + problem.hidden_tests
    parts: list[Any] = [
        values.FORMAT,
        problem.solutions[0],
        problem.entry_point,
        problem.prelude,
        problem.rule.to_json(),
        executor.interpreter,
    ]
    parts.append([test.input for test in tests])
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _read(path: Path, count: int) -> _Canonical | None:
    try:
        data = json.loads(gzip.decompress(path.read_bytes()))
        outputs = tuple(str(output) for output in data["outputs"])
        return _Canonical(outputs, float(data["cpu_seconds"])) if len(outputs) == count else None
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, problem: Problem, canonical: _Canonical) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
    data = {"problem": problem.id, "cpu_seconds": canonical.cpu_seconds, "outputs": canonical.outputs}
    temporary.write_bytes(gzip.compress(json.dumps(data).encode("ascii"), compresslevel=1))
    temporary.replace(path)
