"""Expected outputs that a data set does not hold: computed once from the canonical solution, and kept.

HumanEval+ and MBPP+ give inputs and a canonical solution. It runs inside an executor like any program;
its results become the tests' expected outputs, its slowest call sets the time limit, max(4 s, 4 x that
call), and its largest result the output limit, max(64 MiB, twice that). Of a result over 64 MiB its digest is kept,
where a result is right that equals it and no other is (benchmarks/digests.py). An input on which the canonical solution
needs more memory than any program may have, or returns more than can be kept, is left out; the problem is flagged.

Outputs and limits are cached as compressed JSON, one file per problem, named by the hash of what decides them
(canonical solution, prelude, inputs, rule, interpreter) and holding the digest of what it says. The first is what
everybody uses: machines that share the folder, or a copy of it, have the same limits, however fast they are.
"""

import gzip
import hashlib
import json
import secrets
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from turnwise.benchmarks import values
from turnwise.benchmarks.digests import allows_digests, read_digest
from turnwise.benchmarks.oracles import NOT_NONE
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.files import commit_once, write_synced
from turnwise.records.codec import from_json, if_set, to_json
from turnwise.records.problem import (
    FUNCTION_MEMORY_LIMIT_BYTES,
    FUNCTION_TIME_FACTOR,
    FUNCTION_TIME_LIMIT_SECONDS,
    OUTPUT_LIMIT_BYTES,
    Flag,
    Limits,
    Problem,
    TestCase,
)
from turnwise.runners.execution.host import cpu_model
from turnwise.runners.execution.interface import PYTHON, Ending, Executor
from turnwise.runners.judging.judge import program_of

CANONICAL_TIME_LIMIT_SECONDS = 120.0
CANONICAL_OUTPUT_LIMIT_BYTES = 16 * OUTPUT_LIMIT_BYTES

_MACHINE_ENDINGS = (Ending.STARVED, Ending.INFRASTRUCTURE)
_TOO_LARGE = (Ending.MEMORY_LIMIT, Ending.OUTPUT_LIMIT)


@dataclass(frozen=True, slots=True)
class _Canonical:
    """What the canonical solution showed on a CPU; the output of an input that is left out is None."""

    problem: str
    cpu: str  # that the time limit is of
    time_limit_seconds: float
    output_limit_bytes: int
    outputs: tuple[str | None, ...]
    sha256: str = if_set("")  # of all else


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
        canonical = _compute(problem, executor, digests=allows_digests(problem.rule))
        canonical = _write(path, canonical)
    filled = [TestCase(test.input, output) for test, output in zip(tests, canonical.outputs, strict=True)]
    public = len(problem.public_tests)
    left_out = (Flag.TESTS_LEFT_OUT,) if None in canonical.outputs else ()
    return replace(
        problem,
        public_tests=tuple(test for test in filled[:public] if test.output is not None),
        hidden_tests=tuple(test for test in filled[public:] if test.output is not None),
        limits=replace(
            problem.limits,
            time_limit_seconds=canonical.time_limit_seconds,
            output_limit_bytes=canonical.output_limit_bytes,
        ),
        flags=problem.flags + left_out,
    )


def _compute(problem: Problem, executor: Executor, *, digests: bool) -> _Canonical:
    limits = Limits(CANONICAL_TIME_LIMIT_SECONDS, FUNCTION_MEMORY_LIMIT_BYTES, CANONICAL_OUTPUT_LIMIT_BYTES)
    tests = problem.public_tests + problem.hidden_tests
    outputs: list[str | None] = []
    slowest = 0.0
    program = replace(program_of(problem, problem.solutions[0]), digests=digests)
    with executor.open(program, PYTHON, limits) as session:
        for execution in session.run(test.input.encode("ascii") for test in tests):
            if execution.ending in _TOO_LARGE:
                outputs.append(None)
                continue
            if execution.ending is not Ending.FINISHED:
                kind = InfrastructureError if execution.ending in _MACHINE_ENDINGS else TurnwiseError
                reason = execution.error.strip().splitlines()[-1:] or [""]
                raise kind(
                    f"The canonical solution of {problem.id} fails on its input {len(outputs)} "
                    f"({execution.ending}: {reason[0]}): the data file or the interpreter "
                    f"({executor.interpreter}) is not the one the data set was made with."
                )
            digest = read_digest(execution.output)
            if digest is not None and digest.is_floats:  # a tolerance compares them, which needs the result
                return _compute(problem, executor, digests=False)
            outputs.append(_expected(problem, execution.output.decode("ascii")))
            slowest = max(slowest, execution.cpu_seconds)
    longest = max((len(output) for output in outputs if output is not None), default=0)
    if not longest:
        raise TurnwiseError(
            f"The canonical solution of {problem.id} passes {limits.memory_limit_bytes >> 30} GiB of memory, or "
            f"{limits.output_limit_bytes >> 30} GiB of result, on every input: no program can be judged by it."
        )
    return _Canonical(
        problem.id,
        cpu_model(),
        outputs=tuple(outputs),
        time_limit_seconds=max(FUNCTION_TIME_LIMIT_SECONDS, FUNCTION_TIME_FACTOR * slowest),
        output_limit_bytes=max(OUTPUT_LIMIT_BYTES, 2 * longest),
    )


def _expected(problem: Problem, output: str) -> str:
    """Of tasks judged only as "not None" the expected output is that truth value (evalplus's rule)."""
    if problem.rule.oracle == NOT_NONE:
        return values.dumps(values.loads(output) is not None)
    return output


def _fingerprint(problem: Problem, executor: Executor) -> str:
    tests = problem.public_tests + problem.hidden_tests
    parts: list[object] = [
        values.FORMAT,
        problem.solutions[0],
        problem.entry_point,
        problem.prelude,
        to_json(problem.rule),
        executor.interpreter,
    ]
    parts.append([test.input for test in tests])
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _read(path: Path, count: int) -> _Canonical | None:
    try:
        canonical = from_json(_Canonical, json.loads(gzip.decompress(path.read_bytes())))
    except (OSError, EOFError, zlib.error, ValueError, RecursionError):
        return None
    is_whole = canonical.sha256 == _digest(canonical) and len(canonical.outputs) == count
    return canonical if is_whole else None


def _write(path: Path, canonical: _Canonical) -> _Canonical:
    """Keep ``canonical`` unless another was first; returns what is kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = to_json(replace(canonical, sha256=_digest(canonical)))
    packed = gzip.compress(json.dumps(data).encode("ascii"), compresslevel=1)
    if commit_once(_write_temporary(path, packed), path):
        return canonical
    kept = _read(path, len(canonical.outputs))
    if kept is None:  # a damaged file stood there
        _write_temporary(path, packed).replace(path)
    return kept or canonical


def _write_temporary(path: Path, data: bytes) -> Path:
    temporary = path.with_name(f"{path.stem}.{secrets.token_hex(8)}.tmp")
    write_synced(temporary, data)
    return temporary


def _digest(canonical: _Canonical) -> str:
    data = to_json(replace(canonical, sha256=""))
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode("ascii")).hexdigest()
