"""The verdict cache: its key covers what can change a verdict, its file survives being cut."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from turnwise.benchmarks import matching
from turnwise.records.problem import Limits, MatchRule, Problem, TestCase
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.runners.execution.host import cpu_model
from turnwise.runners.execution.interface import Program
from turnwise.runners.judging import verdicts
from turnwise.runners.judging.verdicts import NoCache, RecentCache, SharedCache, digest_tests, verdict_key

PROBLEM = Problem("b/p", "b", "test", "", (TestCase("1", "2"),), (TestCase("3", "4"),))
PROGRAM = Program(b"print(2)")
ENVIRONMENT = Environment("reference 1", "none", "CPython 3.11.7, numpy 2.0", "tokens")
REPORT = Report("b/p", Verdict.PASSED, (TestResult(0, Verdict.PASSED, 0.1, 5, "2", ""),), (), ENVIRONMENT)


def _key(
    problem: Problem = PROBLEM, program: Program = PROGRAM, environment: Environment = ENVIRONMENT, hidden: bool = True
) -> str:
    tests = digest_tests(problem, hidden=hidden)
    return verdict_key(problem, program, tests, environment, language="python")


def test_equal_questions_have_equal_keys() -> None:
    """The key is a function of its parts."""
    assert _key() == _key(replace(PROBLEM, statement="other words", difficulty="HARD"))


@pytest.mark.parametrize(
    "other",
    [
        _key(program=replace(PROGRAM, source=b"print(3)")),
        _key(program=replace(PROGRAM, entry_point="f")),
        _key(program=replace(PROGRAM, prelude="import re")),
        _key(program=replace(PROGRAM, input_file="a")),
        _key(program=replace(PROGRAM, output_file="a")),
        _key(replace(PROBLEM, limits=Limits(2.0))),
        _key(replace(PROBLEM, rule=MatchRule(ignore_case=True))),
        _key(replace(PROBLEM, hidden_tests=(TestCase("3", "5"),))),
        _key(replace(PROBLEM, public_tests=PROBLEM.public_tests + PROBLEM.hidden_tests, hidden_tests=())),
        _key(hidden=False),
        *(_key(environment=replace(ENVIRONMENT, **{name: "other"})) for name in Environment.__slots__),
    ],
)
def test_whatever_can_change_a_verdict_changes_the_key(other: str) -> None:
    """Program, tests, limits, rule and environment are all in it."""
    assert other != _key()


def test_another_version_of_the_comparison_judges_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A rule that was mended must not go on answering from the cache."""
    before = _key()
    changed = ModuleType("matching")
    changed.__file__ = str(tmp_path / "matching.py")
    (tmp_path / "matching.py").write_bytes(Path(str(matching.__file__)).read_bytes() + b"# mended\n")
    assert matching in verdicts._COMPARING
    swapped = tuple(changed if one is matching else one for one in verdicts._COMPARING)
    monkeypatch.setattr(verdicts, "_COMPARING", swapped)
    verdicts.comparing_code.cache_clear()
    try:
        assert _key() != before
    finally:
        monkeypatch.undo()
        verdicts.comparing_code.cache_clear()
    assert _key() == before


def test_what_one_process_judged_others_need_not(tmp_path: Path) -> None:
    """Later caches know it, and so does one that is open beside the first."""
    first, beside = SharedCache(tmp_path), SharedCache(tmp_path)
    first.put("b/p", "k", REPORT)
    assert first.get("b/p", "k") == beside.get("b/p", "k") == REPORT
    assert first.get("b/p", "other") is None and first.get("b/q", "k") is None
    for one in (first, beside):
        one.close()
    later = SharedCache(tmp_path)
    assert later.get("b/p", "k") == REPORT
    later.close()


def test_each_file_has_one_writer_and_names_are_used_again(tmp_path: Path) -> None:
    """Two caches open at a time write two files of a problem; a third one later adds none."""
    caches = [SharedCache(tmp_path), SharedCache(tmp_path)]
    for key, one in zip("ab", caches, strict=True):
        one.put("b/p", key, REPORT)
        one.put("b/p", key * 2, REPORT)
    assert sorted(len(path.read_bytes().splitlines()) for path in tmp_path.glob("*/*.jsonl")) == [2, 2]
    for one in caches:
        one.close()
    later = SharedCache(tmp_path)
    later.put("b/p", "c", REPORT)
    assert all(later.get("b/p", key) == REPORT for key in ("a", "aa", "b", "bb", "c"))
    later.close()
    assert len(list(tmp_path.glob("*/*.jsonl"))) == 2


@pytest.mark.parametrize(
    "tail",
    [b'{"key": "torn", "rep', b"\0" * 100, b"[1]\n", b'{"key": 1, "report": {}}\n', b'{"key": 1, "report": 2}\n'],
)
def test_a_torn_tail_costs_only_itself(tmp_path: Path, tail: bytes) -> None:
    """What stands before and what is appended after a damaged line is whole."""
    cache = SharedCache(tmp_path)
    cache.put("b/p", "a", REPORT)
    cache.close()
    (path,) = tmp_path.glob("*/*.jsonl")
    with path.open("ab") as file:
        file.write(tail)
    cache = SharedCache(tmp_path)
    cache.put("b/p", "b", REPORT)
    cache.close()
    again = SharedCache(tmp_path)
    assert again.get("b/p", "a") == again.get("b/p", "b") == REPORT
    again.close()


TIMED_OUT = TestResult(0, Verdict.TIME_LIMIT, 10.1)


@pytest.mark.parametrize(
    "report",
    [
        replace(REPORT, verdict=Verdict.TIME_LIMIT, hidden=(TIMED_OUT,)),
        replace(REPORT, verdict=Verdict.WRONG_ANSWER, public=(*REPORT.public, TIMED_OUT)),
    ],
)
def test_a_time_limit_holds_on_the_same_cpu_only(report: Report, tmp_path: Path) -> None:
    """A faster one may be in time, and its own verdict then stands beside the other; a pass holds everywhere."""
    slow = SharedCache(tmp_path, cpu="Slow 1")
    slow.put("b/p", "k", report)
    slow.put("b/p", "passed", REPORT)
    slow.close()
    same, other = SharedCache(tmp_path, cpu="Slow 1"), SharedCache(tmp_path, cpu="Fast 2")
    assert same.get("b/p", "k") == report and same.cpu("b/p", "k") == "Slow 1"
    assert other.get("b/p", "k") is None and other.get("b/p", "passed") == REPORT
    assert (other.cpu("b/p", "passed"), other.cpu("b/p", "k")) == ("Slow 1", "Fast 2")
    other.put("b/p", "k", REPORT)
    assert other.get("b/p", "k") == REPORT
    for one in (same, other):
        one.close()


def test_infrastructure_failures_are_not_kept(tmp_path: Path) -> None:
    """Neither a report that is one nor a report that holds one."""
    cache = SharedCache(tmp_path)
    cache.put("b/p", "a", replace(REPORT, verdict=Verdict.INFRASTRUCTURE_FAILURE))
    spoiled = TestResult(0, Verdict.INFRASTRUCTURE_FAILURE)
    cache.put("b/p", "b", replace(REPORT, verdict=Verdict.WRONG_ANSWER, hidden=(spoiled,)))
    assert cache.get("b/p", "a") is None and cache.get("b/p", "b") is None
    cache.close()


def test_no_cache_keeps_nothing() -> None:
    """What parity tests use."""
    cache = NoCache()
    cache.put("b/p", "a", REPORT)
    assert cache.get("b/p", "a") is None


def test_what_was_not_used_longest_is_forgotten() -> None:
    """A cache in memory alone: what was asked for stays before what was stored later."""
    cache = RecentCache(2)
    cache.put("b/p", "a", REPORT)
    cache.put("b/p", "b", REPORT)
    assert cache.get("b/p", "a") == REPORT and cache.cpu("b/p", "a") == cpu_model()
    cache.put("b/q", "a", replace(REPORT, problem="b/q"))
    assert [cache.get("b/p", key) is None for key in ("a", "b")] == [False, True] and cache.get("b/q", "a") is not None
    cache.put("b/p", "b", replace(REPORT, verdict=Verdict.INFRASTRUCTURE_FAILURE))
    assert cache.get("b/p", "b") is None and cache.get("b/q", "a") is not None


def test_threads_share_a_bounded_cache() -> None:
    """It holds no more than it may while many put and ask at once."""
    cache = RecentCache(10)

    def use(number: int) -> None:
        for step in range(200):
            cache.put("b/p", f"{number} {step % 20}", REPORT)
            cache.get("b/p", f"{number - 1} {step % 20}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(8)))
    assert sum(cache.get("b/p", f"{number} {step}") is not None for number in range(8) for step in range(20)) == 10


def test_reports_in_memory_are_bounded_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Problems that were not used longest are forgotten with their files, and read again; what is on disk stays."""
    monkeypatch.setattr(verdicts, "_MOST_LOGS", 3)
    bounded, other = SharedCache(tmp_path / "bounded", most=10), SharedCache(tmp_path / "other")
    for step in range(8):
        for number in range(6):
            for cache in (bounded, other):
                cache.put(f"b/{number}", f"k{step}", REPORT)
    kept = bounded._reports
    assert sum(map(len, kept.values())) == bounded._held <= 16 and list(kept)[-1] == "b/5"
    assert len(bounded._logs) == 3
    lines = [
        {path.relative_to(folder): path.read_bytes() for path in folder.glob("*/*.jsonl")}
        for folder in (tmp_path / "bounded", tmp_path / "other")
    ]
    assert lines[0] == lines[1]
    assert all(bounded.get(f"b/{number}", f"k{step}") == REPORT for number in range(6) for step in range(8))
    for cache in (bounded, other):
        cache.close()
