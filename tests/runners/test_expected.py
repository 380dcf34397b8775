"""Expected outputs and limits come from the canonical solution, once, and are kept under what decides them."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from turnwise.benchmarks import values
from turnwise.errors import TurnwiseError
from turnwise.records.problem import OUTPUT_LIMIT_BYTES, Comparison, Limits, MatchRule, Problem, TestCase
from turnwise.runners.execution.interface import Closable, Ending, Execution, Executor, Program, Session
from turnwise.runners.execution.reference import ReferenceExecutor
from turnwise.runners.judging.expected import default_cache_dir, resolve_expected
from turnwise.runners.judging.judge import Judge, program_of
from turnwise.runners.judging.verdicts import digest_tests, verdict_key

TASK = Problem(
    id="mbpp_plus/Mbpp/1",
    benchmark="mbpp_plus",
    split="test",
    statement="",
    public_tests=(TestCase(values.dumps([1]), None),),
    hidden_tests=(TestCase(values.dumps([(2, 3)]), None), TestCase(values.dumps([None]), None)),
    rule=MatchRule(Comparison.EVALPLUS, tolerance=0.0),
    entry_point="f",
    solutions=("def f(x): return (x, {1.5})",),
)


class CountingExecutor(ReferenceExecutor):
    """Counts how often a program is opened."""

    opened = 0

    def open(self, program: Program, language: str, limits: Limits) -> Session:
        self.opened += 1
        return super().open(program, language, limits)


class PlannedExecutor(ReferenceExecutor):
    """Runs nothing: every call takes so many CPU seconds and returns what ``results`` says of the program."""

    def __init__(self, cpu_seconds: float = 0.1, results: Callable[[Program], bytes] = lambda _: b"1") -> None:
        super().__init__()
        self.cpu_seconds = cpu_seconds
        self.results = results
        self.opened: list[Program] = []

    def open(self, program: Program, language: str, limits: Limits) -> Session:
        self.opened.append(program)
        return _PlannedSession(self.results(program), self.cpu_seconds)


class _PlannedSession(Closable):
    def __init__(self, result: bytes, cpu_seconds: float) -> None:
        self._execution = Execution(Ending.FINISHED, result, cpu_seconds=cpu_seconds)

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        return (self._execution for _ in inputs)

    def close(self) -> None:
        pass


class OtherExecutor(CountingExecutor):
    """Says that it has another interpreter."""

    @property
    def interpreter(self) -> str:
        """A Python to come."""
        return "CPython 3.99"


def test_outputs_and_limits_are_filled_in_once(tmp_path: Path) -> None:
    """The second time they come from the file; the limit is at least 4 s."""
    executor = CountingExecutor()
    (resolved,) = resolve_expected([TASK], executor, cache_dir=tmp_path)
    outputs = [values.loads(test.output or "") for test in resolved.public_tests + resolved.hidden_tests]
    assert outputs == [(1, {1.5}), ((2, 3), {1.5}), (None, {1.5})]
    assert resolved.limits.time_limit_seconds == 4.0
    assert resolve_expected([TASK], executor, cache_dir=tmp_path) == (resolved,)
    assert resolve_expected([resolved], executor, cache_dir=tmp_path) == (resolved,)
    assert executor.opened == 1


def test_a_slow_canonical_solution_raises_the_limit(executor: Executor, tmp_path: Path) -> None:
    """Four times its slowest call."""
    slow = "import time\ndef f(x):\n    end = time.process_time() + 1.2\n    while time.process_time() < end: pass"
    (resolved,) = resolve_expected([replace(TASK, solutions=(slow,), hidden_tests=())], executor, cache_dir=tmp_path)
    assert 4.7 < resolved.limits.time_limit_seconds < 9


def test_a_large_result_raises_the_output_limit(executor: Executor, tmp_path: Path) -> None:
    """A right program must be able to return as much as the canonical one, and it is kept compressed."""
    rule = MatchRule(Comparison.EVALPLUS, tolerance=1e-6)  # which needs the result itself
    large = replace(TASK, solutions=("def f(x): return 'a' * 70_000_000",), hidden_tests=(), rule=rule)
    (resolved,) = resolve_expected([large], executor, cache_dir=tmp_path)
    assert resolved.limits.output_limit_bytes == 2 * 70_000_002
    assert Judge(executor).judge(resolved, "def f(x): return 'a' * 70_000_000").passed
    assert sum(path.stat().st_size for path in (tmp_path / "expected").iterdir()) < 1_000_000


def test_other_data_or_a_damaged_file_are_computed_again(tmp_path: Path) -> None:
    """The file's name is a hash of solution, prelude, inputs, rule and interpreter; a torn file is no file."""
    executor = CountingExecutor()
    resolve_expected([TASK], executor, cache_dir=tmp_path)
    resolve_expected([replace(TASK, solutions=("def f(x): return 1",))], executor, cache_dir=tmp_path)
    resolve_expected([replace(TASK, hidden_tests=())], executor, cache_dir=tmp_path)
    resolve_expected([replace(TASK, rule=replace(TASK.rule, oracle="not_none"))], executor, cache_dir=tmp_path)
    resolve_expected([replace(TASK, prelude="x = 1")], executor, cache_dir=tmp_path)
    assert executor.opened == len(list((tmp_path / "expected").iterdir())) == 5
    for path in (tmp_path / "expected").iterdir():
        path.write_bytes(path.read_bytes()[:-9])
    resolve_expected([TASK], executor, cache_dir=tmp_path)
    assert executor.opened == 6


def _key(problem: Problem, executor: Executor) -> str:
    tests, program = digest_tests(problem, hidden=True), program_of(problem, "x")
    return verdict_key(problem, program, tests, Judge(executor).environment, language="python")


def test_machines_that_share_the_file_have_the_same_limits(tmp_path: Path) -> None:
    """However fast they are: so their verdicts have one key; a machine with a folder of its own has other keys."""
    slow, fast = PlannedExecutor(5.0), PlannedExecutor(0.1)
    shared = [resolve_expected([TASK], executor, cache_dir=tmp_path / "shared")[0] for executor in (slow, fast)]
    (alone,) = resolve_expected([TASK], fast, cache_dir=tmp_path / "own")
    assert [problem.limits.time_limit_seconds for problem in (*shared, alone)] == [20.0, 20.0, 4.0]
    assert (len(slow.opened), len(fast.opened)) == (1, 1)
    keys = [_key(problem, slow) for problem in (*shared, alone)]
    assert keys[0] == keys[1] != keys[2]


def test_of_two_machines_that_compute_at_once_the_first_counts(tmp_path: Path) -> None:
    """The one that comes later has the limits of the first, too, though it has found others."""

    def be_late(_: Program) -> bytes:
        resolve_expected([TASK], PlannedExecutor(5.0), cache_dir=tmp_path)
        return b"1"

    (late,) = resolve_expected([TASK], PlannedExecutor(0.1, be_late), cache_dir=tmp_path)
    (path,) = (tmp_path / "expected").iterdir()
    kept = json.loads(gzip.decompress(path.read_bytes()))
    assert late.limits.time_limit_seconds == kept["time_limit_seconds"] == 20.0
    assert kept["cpu"]


@pytest.mark.parametrize(
    "change",
    [{"time_limit_seconds": 1000.0}, {"output_limit_bytes": 1}, {"outputs": ["1", "1", "2"]}, {"sha256": ""}],
    ids=lambda change: next(iter(change)),
)
def test_a_file_that_its_digest_does_not_fit_is_no_file(tmp_path: Path, change: dict[str, object]) -> None:
    """Limits are what the canonical solution took, and no more."""
    executor = PlannedExecutor(5.0)
    (first,) = resolve_expected([TASK], executor, cache_dir=tmp_path)
    (path,) = (tmp_path / "expected").iterdir()
    kept = path.read_bytes()
    path.write_bytes(gzip.compress(json.dumps({**json.loads(gzip.decompress(kept)), **change}).encode()))
    assert resolve_expected([TASK], executor, cache_dir=tmp_path) == (first,)
    assert len(executor.opened) == 2
    assert gzip.decompress(path.read_bytes()) == gzip.decompress(kept)


@pytest.mark.parametrize(("kind", "runs"), [("floats", [True, False]), ("", [True])])
def test_of_a_list_of_floats_the_result_itself_is_kept(tmp_path: Path, kind: str, runs: list[bool]) -> None:
    """However long: evalplus compares it with a tolerance, even where the task names none."""
    digest = '{"h": ["%s", "%d", "%s"]}' % ("0" * 64, OUTPUT_LIMIT_BYTES + 1, kind)
    executor = PlannedExecutor(results=lambda program: digest.encode() if program.digests else b"[0.5]")
    (problem,) = resolve_expected([TASK], executor, cache_dir=tmp_path)
    assert {test.output for test in problem.hidden_tests} == {"[0.5]" if kind else digest}
    assert [program.digests for program in executor.opened] == runs
    assert program_of(problem, "x").digests is not bool(kind)


def test_another_interpreter_computes_its_own(tmp_path: Path) -> None:
    """What a canonical solution returns may depend on it: the order of a set, a numpy of another version."""
    first, other = CountingExecutor(), OtherExecutor()
    for executor in (first, other):
        resolve_expected([TASK], executor, cache_dir=tmp_path)
    assert (first.opened, other.opened) == (1, 1)


def test_tasks_judged_as_not_none_expect_that_truth_value(executor: Executor, tmp_path: Path) -> None:
    """An opaque result is enough to tell it from None."""
    source = "import re\ndef f(x): return re.match('a', 'ab') if x else None"
    task = replace(TASK, rule=replace(TASK.rule, oracle="not_none"), solutions=(source,))
    (resolved,) = resolve_expected([task], executor, cache_dir=tmp_path)
    assert [test.output for test in resolved.public_tests + resolved.hidden_tests] == ["true", "true", "false"]


def test_a_failing_canonical_solution_is_named(executor: Executor, tmp_path: Path) -> None:
    """Problem, input and interpreter stand in the one sentence; nothing is kept."""
    with pytest.raises(TurnwiseError, match=r"mbpp_plus/Mbpp/1 fails on its input 1 .*ValueError: no.*CPython"):
        resolve_expected(
            [replace(TASK, solutions=("def f(x):\n    if x != 1: raise ValueError('no')",))],
            executor,
            cache_dir=tmp_path,
        )
    assert not (tmp_path / "expected").exists()


def test_progress_is_told(executor: Executor, tmp_path: Path) -> None:
    """Once per problem, in order."""
    seen: list[tuple[int, int]] = []
    tasks = [replace(TASK, id=f"mbpp_plus/Mbpp/{number}") for number in range(3)]
    resolve_expected(tasks, executor, cache_dir=tmp_path, workers=2, on_progress=lambda *pair: seen.append(pair))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"TURNWISE_CACHE": "/a"}, Path("/a")),
        ({"XDG_CACHE_HOME": "/b"}, Path("/b/turnwise")),
        ({}, Path.home() / ".cache" / "turnwise"),
    ],
)
def test_where_computed_things_are_kept(environ: dict[str, str], path: Path) -> None:
    """TURNWISE_CACHE before XDG_CACHE_HOME before the home folder."""
    assert default_cache_dir(environ) == path
