"""Legal programs do in the sandbox what they do under ``python3 solution.py``, in every tier: output, end, last words.

What differs on purpose, each with its test below: random numbers and hashes are the same in every run; no process,
network or file can be made; a program finds frames of the runner below its own.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import Form, Kind, hostile_programs
from idioms import LEAVING, PENDING, STDIN, programs
from plain_python import Ran, as_ran, run_plainly
from tiers import TIERS, executor_in

from turnwise.records.problem import Limits
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.interface import Program

LIMITS = Limits(5.0, 64_000_000)
# Its frames are the runner's as well, and its path is no folder's.
DIFFERENT = {"frames", "stack_printed"}
USUAL_ENDS = ("end", "exit_three", "error")


@pytest.fixture(scope="module")
def executors() -> Iterator[dict[str, HardenedExecutor]]:
    """An executor of each tier."""
    made = {tier: executor_in(tier) for tier in TIERS}
    yield made
    for executor in made.values():
        executor.close()


def _run(executor: HardenedExecutor, source: bytes, given: bytes, limits: Limits = LIMITS) -> Ran:
    with executor.open(Program(source), "python", limits) as session:
        (execution,) = session.run([given])
    return as_ran(execution)


def _cases() -> Iterator[object]:
    """Every idiom, and of the ways to leave the usual ones; the others where time is no matter."""
    rare = {f"{name}_then_{way}" for name in PENDING for way in LEAVING if way not in USUAL_ENDS}
    for name in sorted(set(programs()) - DIFFERENT):
        yield pytest.param(name, marks=pytest.mark.long if name in rare else ())


def test_the_corpus_is_large() -> None:
    """There are idioms of every kind, and each way to leave meets all that may be pending."""
    assert len(programs()) >= 300
    assert set(programs()) >= DIFFERENT


@pytest.mark.parametrize("name", list(_cases()))
def test_a_program_does_what_it_does_under_plain_python(executors: dict[str, HardenedExecutor], name: str) -> None:
    """The same output, exit status and last line of stderr in every tier, with a memory limit of 64 MB."""
    source, given = programs()[name].encode(), STDIN.encode()
    plain = run_plainly(source, given)
    assert {tier: _run(executor, source, given) for tier, executor in executors.items()} == dict.fromkeys(TIERS, plain)


LEGAL = {
    name: one
    for name, one in hostile_programs().items()
    if one.expected.kind is Kind.LEGAL and one.expected.form is Form.STDIN and not one.expected.input_file
}


@pytest.mark.long
@pytest.mark.parametrize("name", LEGAL)
def test_legal_hostile_programs_do_the_same_as_under_plain_python(
    executors: dict[str, HardenedExecutor], name: str
) -> None:
    """The legal programs that are judged among the hostile ones, on each of their inputs."""
    program = LEGAL[name]
    limits = Limits(**program.expected.limits.model_dump())
    problem = program.problem({})
    for test in (*problem.public_tests, *problem.hidden_tests):
        given = test.input.encode()
        plain = run_plainly(program.source, given)
        found = {tier: _run(executor, program.source, given, limits) for tier, executor in executors.items()}
        assert found == dict.fromkeys(TIERS, plain)


def _reported() -> list[Path]:
    shared = Path(__file__).resolve().parents[3] / "shared" / "faults" / "legal"
    return sorted(shared.glob("*.py"))


@pytest.mark.data
@pytest.mark.parametrize("path", _reported(), ids=lambda path: path.stem)
def test_reported_programs_do_the_same_as_under_plain_python(
    executors: dict[str, HardenedExecutor], path: Path
) -> None:
    """Each program that was judged wrong once; what it prints is "ok"."""
    source = path.read_bytes()
    plain = run_plainly(source, b"ok\n")
    assert plain.output == b"ok\n"
    assert {tier: _run(executor, source, b"ok\n") for tier, executor in executors.items()} == dict.fromkeys(
        TIERS, plain
    )


@pytest.mark.parametrize("name", ["dev_fd", "own_source", "thread_pool_mp", "generator_finally_then_end", "nicer"])
def test_check_passes_what_python_prints(tmp_path: Path, name: str) -> None:
    """The command says so, too."""
    source = programs()[name]
    (tmp_path / "program.py").write_text(source)
    plain = run_plainly(source.encode(), STDIN.encode())
    tests = {"public": [{"input": STDIN, "output": plain.output.decode()}]}
    (tmp_path / "tests.json").write_text(json.dumps(tests))
    command = [sys.executable, "-m", "turnwise", "check", "program.py", "--tests", "tests.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "passed" in done.stdout, done.stdout


REPEATED = {
    "random": "import random\nprint(random.random(), random.choice('abc'), random.getrandbits(64))",
    "numpy": "import numpy as np\nprint(np.random.rand(), np.random.randint(10**9))",
    "hashes": "print(list({'a', 'b', 'c', 'd', 'e'}), hash('text'))",
}


@pytest.mark.parametrize("name", REPEATED)
def test_random_numbers_and_hashes_are_the_same_in_every_run(executors: dict[str, HardenedExecutor], name: str) -> None:
    """So that a verdict can be repeated, in another worker and another tier as well."""
    if name == "numpy" and "no numpy" in executors["A"].interpreter:
        pytest.skip("the judged interpreter has no numpy")
    source = REPEATED[name].encode()
    with HardenedExecutor(tier="A") as other:
        found = [_run(executor, source, b"", Limits(5.0)) for executor in (*executors.values(), other)]
    assert found == [found[0]] * 4
    assert (found[0].end, found[0].last_words) == ("", "")


REFUSED = {
    "fork": "os.fork()",
    "spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "run": "subprocess.run(['true'])",
    "pool": "multiprocessing.Process(target=print).start()",
    "execute": "os.execv('/bin/true', ['true'])",
    "socket": "socket.socket()",
    "file": "open('made.txt', 'w')",
    "own file": "open(__file__, 'a')",
    "own file renamed": "os.rename(__file__, 'other.py')",
    "own file removed": "os.unlink(__file__)",
    "own file changed": "os.chmod(__file__, 0o666)",
    "temporary file": "tempfile.TemporaryFile()",
    "session": "os.setsid()",
    "priority raised": "os.nice(-1)",
    "priority set": "os.setpriority(os.PRIO_PROCESS, 0, -5)",
    "priority of others": "os.setpriority(os.PRIO_PROCESS, os.getppid(), 10)",
    "cores of others": "os.sched_setaffinity(os.getppid(), {0})",
    "cores that are not there": "os.sched_setaffinity(0, {1023})",
    "real time": "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_program_may_not_do_is_an_error_it_can_catch(executors: dict[str, HardenedExecutor], name: str) -> None:
    """With the kernel's number, in every tier; nothing of it ends the program."""
    source = (
        "import multiprocessing, os, socket, subprocess, tempfile\n"
        f"try:\n    {REFUSED[name]}\nexcept OSError as error:\n    print('refused', error.errno is not None)"
    ).encode()
    right = Ran(b"refused True\n", "", "")
    assert {tier: _run(executor, source, b"") for tier, executor in executors.items()} == dict.fromkeys(TIERS, right)


def test_narrowed_cores_can_be_widened_again_to_those_there_were(executors: dict[str, HardenedExecutor]) -> None:
    """As the kernel allows within the cores of a job, and never beyond them."""
    source = (
        b"import os\nmine = os.sched_getaffinity(0)\nos.sched_setaffinity(0, {min(mine)})\n"
        b"os.sched_setaffinity(0, range(1024))\nprint(os.sched_getaffinity(0) == mine)"
    )
    assert {_run(executor, source, b"").output for executor in executors.values()} == {b"True\n"}


def test_a_program_finds_its_own_source_and_no_earlier_ones(executors: dict[str, HardenedExecutor]) -> None:
    """Worker after worker holds the text of the program that runs, also of a called function and beside files."""
    for executor in executors.values():
        for number in (1, 22, 3):
            source = f"print(open(__file__).read())#{number}".encode()
            assert _run(executor, source, b"").output == source + b"\n"
            with executor.open(Program(source, input_file="in.txt"), "python", LIMITS) as session:
                assert [one.output for one in session.run([b"1", b"2"])] == [source + b"\n"] * 2
        called = b"def f(x): return open(__file__).read()"
        with executor.open(Program(called, "f"), "python", LIMITS) as session:
            assert [one.output for one in session.run([b"[1]"])] == [b'"def f(x): return open(__file__).read()"']


def test_a_program_that_changes_its_file_harms_no_later_run(executors: dict[str, HardenedExecutor]) -> None:
    """Where a program has a folder its source is a file like any other, and whole again at the next run."""
    source = b"import os\nprint(os.path.getsize(__file__))\nopen(__file__, 'w').close()\nos.unlink(__file__)"
    program = Program(source, input_file="in.txt")
    for executor in executors.values():
        with executor.open(program, "python", LIMITS) as session:
            assert [one.output for one in session.run([b"", b""])] == [b"%d\n" % len(source)] * 2
