"""Every program of tests/hostile gets its verdict in every tier, leaves no trace, and harms no later one."""

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from canaries import Canaries
from hostile import FOLDER, Arena, Expectation, Form, HostileProgram, Kind, first_line, hostile_programs, read_program
from pydantic import ValidationError
from tiers import TIERS, executor_in

from turnwise.records.report import Verdict
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.reference import ReferenceExecutor

GOOD = "kind: cheat\nform: stdin\nwhy: It wants more.\ntests: [{input: '', output: ''}]\nverdicts: [passed]\n"


def _cases() -> Iterator[object]:
    """Tier A whole; of the others what tiers meet differently, and the rest where time is no matter."""
    for tier in TIERS:
        for name, program in hostile_programs().items():
            quick = tier == "A" or program.expected.every_tier or program.expected.tiers
            yield pytest.param(tier, name, id=f"{tier}-{name}", marks=() if quick else pytest.mark.long)


@pytest.fixture(scope="module")
def canaries() -> Iterator[Canaries]:
    """One set of canaries, older than every executor, in a folder that other users can reach, too."""
    with tempfile.TemporaryDirectory(prefix="canaries-") as folder:
        canaries = Canaries(Path(folder))
        yield canaries
        canaries.close()


@pytest.fixture(scope="module")
def arena_of(canaries: Canaries) -> Iterator[Callable[[str], Arena]]:
    """A function from a tier to its arena; it skips, with the reason, where a tier is not to be had."""
    arenas: dict[str, Arena] = {}
    executors: list[HardenedExecutor] = []

    def arena(tier: str) -> Arena:
        if tier not in arenas:
            executors.append(executor_in(tier))
            arenas[tier] = Arena(executors[-1], canaries)
        return arenas[tier]

    yield arena
    for executor in executors:
        executor.close()


@pytest.mark.parametrize(("tier", "name"), list(_cases()))
def test_a_hostile_program_gets_its_verdict_and_nothing_else(
    arena_of: Callable[[str], Arena], tier: str, name: str
) -> None:
    """The verdict is one of the expected, no canary was touched, and the next programs pass."""
    arena, program = arena_of(tier), hostile_programs()[name]
    _skip_without_packages(program, arena)
    outcome = arena.judge(program)
    assert outcome.traces == ()
    assert outcome.verdict in program.expected.verdicts_in(tier), outcome.report


def _program(source: str, verdicts: list[Verdict], *outputs: str) -> HostileProgram:
    tests = [{"input": "", "output": output} for output in outputs]
    expected = {"kind": "cheat", "form": "stdin", "why": "Made by a test.", "tests": tests, "verdicts": verdicts}
    return HostileProgram("made", source.encode(), Expectation.model_validate(expected))


@pytest.mark.parametrize("status", range(1, 256))
def test_every_exit_status_is_the_programs_own(arena_of: Callable[[str], Arena], status: int) -> None:
    """No status that a program chooses is mistaken for a message of the worker."""
    source = f"import os, sys\nprint(1)\nsys.stdout.flush()\nos._exit({status})"
    outcome = arena_of("A").judge(_program(source, [Verdict.RUNTIME_ERROR], "1"))
    assert (outcome.verdict, outcome.traces) == (Verdict.RUNTIME_ERROR, ())


# Stopping ones take the idle limit's two seconds each; abuse_stops_itself is one of them.
STOPPING = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}


@pytest.mark.parametrize("number", sorted(signal.valid_signals() - STOPPING))
def test_every_signal_is_the_programs_own(arena_of: Callable[[str], Arena], number: int) -> None:
    """No signal that a program raises is mistaken for one that the worker sends."""
    source = (
        "import ctypes, os, signal\n"
        "try:\n"
        f"    signal.signal({number}, signal.SIG_DFL)\n"
        "except OSError:\n"
        "    pass\n"
        f"ctypes.CDLL(None)['raise']({number})\n"
        "os._exit(7)"
    )
    outcome = arena_of("A").judge(_program(source, [Verdict.RUNTIME_ERROR], "1"))
    by_limit: dict[int, Verdict] = {signal.SIGXCPU: Verdict.TIME_LIMIT, signal.SIGXFSZ: Verdict.OUTPUT_LIMIT}
    assert outcome.verdict in {Verdict.RUNTIME_ERROR, by_limit.get(number)}
    assert outcome.traces == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, one in hostile_programs().items() if one.expected.kind is Kind.LEGAL])
def test_legal_programs_pass_without_isolation_too(reference_arena: Arena, name: str) -> None:
    """What a legal program relies on is Python, not the sandbox: the reference executor agrees."""
    program = hostile_programs()[name]
    _skip_without_packages(program, reference_arena)
    outcome = reference_arena.judge(program)
    assert outcome.report.passed, outcome.report


@pytest.fixture(scope="module")
def reference_arena(canaries: Canaries) -> Arena:
    """The reference executor, for programs that do no harm."""
    return Arena(ReferenceExecutor(), canaries)


def _skip_without_packages(program: HostileProgram, arena: Arena) -> None:
    missing = [package for package in program.expected.needs if package not in arena.packages]
    if missing:
        pytest.skip(f"the judged interpreter has no {', '.join(missing)}")


def test_every_folder_is_whole() -> None:
    """Folders are named by their kind, function programs alone have an entry point, and line one says what for.

    What lies beside the folders is the rest of a program.
    """
    for name, program in hostile_programs().items():
        expected = program.expected
        assert name.startswith(f"{expected.kind}_"), name
        assert sorted(path.name for path in (FOLDER / name).iterdir()) == ["expect.yaml", "program.py"]
        assert bool(expected.entry_point) is (expected.form is Form.FUNCTION), name
        assert "#" in first_line(program), f"{name}: no comment says what it attempts"
        assert set(expected.tiers) <= set(TIERS), name
    rests = {program.expected.rest for program in hostile_programs().values()} - {""}
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == rests


def test_every_kind_comes_in_both_forms() -> None:
    """There are at least 120 programs, and each kind is tried on stdin and as a function."""
    programs = hostile_programs().values()
    assert len(programs) >= 120
    assert {(one.expected.kind, one.expected.form) for one in programs} == {(k, f) for k in Kind for f in Form}


def test_legal_programs_pass_and_cheats_do_not() -> None:
    """No expectation is so wide that it promises nothing."""
    for name, program in hostile_programs().items():
        verdicts = [str(verdict) for verdict in program.expected.verdicts]
        assert "infrastructure_failure" not in verdicts, name
        if program.expected.kind is Kind.LEGAL:
            assert verdicts == ["passed"], name
        if program.expected.kind is Kind.CHEAT:
            assert "passed" not in verdicts, name


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("cheat", "trick"),
        GOOD.replace("passed", "accepted"),
        GOOD.replace("tests: [{input: '', output: ''}]", "tests: []"),
        GOOD + "verdict: passed\n",
        GOOD + "limits: {time_limit_seconds: 60}\n",
    ],
)
def test_an_unknown_word_in_an_expectation_is_refused(tmp_path: Path, text: str) -> None:
    """A misspelt key, kind or verdict is an error instead of a test that says nothing."""
    (tmp_path / "program.py").write_bytes(b"# Nothing.\n")
    (tmp_path / "expect.yaml").write_text(GOOD)
    assert isinstance(read_program(tmp_path).expected, Expectation)
    (tmp_path / "expect.yaml").write_text(text)
    with pytest.raises(ValidationError):
        read_program(tmp_path)


def _connect(family: int, address: Any) -> None:
    with socket.socket(family) as one:
        one.connect(address)


ACTS: dict[str, Callable[[dict[str, str]], object]] = {
    "outside": lambda names: Path(names["open_file"]).write_text("hostile"),
    "folder": lambda names: (Path(names["folder"]) / "new").touch(),
    "secret in a file": lambda names: Path(names["secret_file"]).read_text(),
    "secret in the environment": lambda names: os.environ["TURNWISE_CANARY"],
    "reached tcp_port": lambda names: _connect(socket.AF_INET, ("127.0.0.1", int(names["tcp_port"]))),
    "reached unix_socket": lambda names: _connect(socket.AF_UNIX, names["unix_socket"]),
    "reached abstract_socket": lambda names: _connect(socket.AF_UNIX, "\0" + names["abstract_socket"]),
    "left processes": lambda names: subprocess.Popen(["sleep", "20"]),
    "descriptors open": lambda names: os.open("/dev/null", os.O_RDONLY),
}


@pytest.mark.parametrize("trace", ACTS)
def test_canaries_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trace: str) -> None:
    """Each canary sees what it is there for, and is silent before."""
    monkeypatch.setattr("canaries._SETTLE_SECONDS", 0.1)
    canaries, did = Canaries(tmp_path), None
    try:
        assert list(canaries.traces("")) == []
        did = ACTS[trace](canaries.names)
        (found,) = canaries.traces(str(did))
        assert trace in found
    finally:
        canaries.close()
        if isinstance(did, subprocess.Popen):
            did.kill()
            did.wait()
        elif trace == "descriptors open":
            os.close(int(str(did)))


def test_canaries_notice_planted_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a telling name in a place that is usually writable is seen."""
    monkeypatch.setattr("canaries._PLACES", (str(tmp_path / "place"),))
    (tmp_path / "place").mkdir()
    (tmp_path / "canaries").mkdir()
    canaries = Canaries(tmp_path / "canaries")
    try:
        (tmp_path / "place" / "hostile-file").touch()
        (found,) = canaries.traces("")
        assert "hostile-file" in found
    finally:
        canaries.close()
