"""What a program does decides how its run ends, and nothing of it survives the session."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tiers import TIERS, executor_in

from turnwise.benchmarks import values
from turnwise.benchmarks.taco import CALL_PRELUDE
from turnwise.errors import TurnwiseError
from turnwise.records.problem import Limits
from turnwise.runners.execution.interface import Ending, Execution, Executor, Program
from turnwise.runners.execution.reference import ReferenceExecutor

LIMITS = Limits(1.0, 256_000_000, output_limit_bytes=8 << 20)


@pytest.fixture(scope="module", params=["reference", *TIERS])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Every executor, and every tier of the hardened one: what they do must not differ."""
    if request.param == "reference":
        yield ReferenceExecutor()
        return
    with executor_in(request.param) as hardened:
        yield hardened


def _run(executor: Executor, source: str | bytes, *inputs: bytes, limits: Limits = LIMITS) -> list[Execution]:
    program = Program(source if isinstance(source, bytes) else source.encode())
    with executor.open(program, "python", limits) as session:
        return list(session.run(inputs or (b"",)))


def _call(executor: Executor, source: str, *arguments: list[object], prelude: str = "") -> list[Execution]:
    program = Program(source.encode(), entry_point="f", prelude=prelude)
    with executor.open(program, "python", LIMITS) as session:
        return list(session.run([values.dumps(one).encode() for one in arguments]))


@pytest.mark.parametrize(
    ("source", "given", "output"),
    [
        ("print(int(input()) * 2)", b"21\n", b"42\n"),
        ("import sys\nprint(len(sys.stdin.buffer.read()))", b"abc", b"3\n"),
        ("print(open(0).read().strip())", b"x\n", b"x\n"),
        ("import os\nos.write(1, os.read(0, 9))", b"raw", b"raw"),
        ("print(1)\nexit()", b"", b"1\n"),
        ("import sys\nprint(1)\nsys.exit(0)", b"", b"1\n"),
        ("if __name__ == '__main__':\n    print(__name__, __import__('sys').argv)", b"", b"__main__ ['solution.py']\n"),
        ("import sys\nfor line in sys.stdin:\n    print(line, end='')", b"a\nb\n", b"a\nb\n"),
        ("try:\n    while True: input()\nexcept EOFError: print('end')", b"a\n", b"end\n"),
        ("print(len(str(3 ** 50000)))", b"", b"23857\n"),
        ("import threading\nthreading.Thread(target=lambda: print(input())).start()", b"late\n", b"late\n"),
        ("import atexit\natexit.register(lambda: print('bye'))", b"", b"bye\n"),
        ("import resource as r\nr.setrlimit(r.RLIMIT_STACK, (1 << 28, r.RLIM_INFINITY))\nprint(1)", b"", b"1\n"),
        ("from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nprint(P(3))", b"", b"P(x=3)\n"),
        ("print(hash('a') == hash('a'), __import__('os').environ.get('HOME') is None)", b"", b"True False\n"),
    ],
)
def test_legal_programs_finish(executor: Executor, source: str, given: bytes, output: bytes) -> None:
    """The usual ways to read, write and leave work."""
    (execution,) = _run(executor, source, given)
    assert (execution.ending, execution.output) == (Ending.FINISHED, output), execution.error


def test_deep_recursion_works(executor: Executor) -> None:
    """50,000 nested calls, and 20,000 through lru_cache, do not crash (Python 3.11)."""
    source = (
        "import sys\nfrom functools import lru_cache\nsys.setrecursionlimit(10**6)\n"
        "def f(n): return 0 if n == 0 else 1 + f(n - 1)\n"
        "@lru_cache(None)\ndef g(n): return 0 if n == 0 else 1 + g(n - 1)\n"
        "print(f(50000), g(20000))"
    )
    (execution,) = _run(executor, source)
    assert execution.output == b"50000 20000\n", execution.error


@pytest.mark.parametrize(
    ("source", "ending", "error"),
    [
        ("while True: pass", Ending.CPU_LIMIT, ""),
        ("import time\ntime.sleep(60)", Ending.IDLE_LIMIT, ""),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", Ending.IDLE_LIMIT, ""),
        ("x = bytearray(b'1') * 400_000_000", Ending.MEMORY_LIMIT, ""),
        ("x = [0] * 10**9", Ending.MEMORY_LIMIT, "MemoryError"),
        ("while True: print('a' * 10**6)", Ending.OUTPUT_LIMIT, ""),
        ("import sys\nwhile True: sys.stderr.write('a' * 10**6)", Ending.OUTPUT_LIMIT, ""),
        ("1 +", Ending.COMPILE_ERROR, "SyntaxError"),
        ("x = " + "(" * 100_000, Ending.COMPILE_ERROR, "SyntaxError"),
        ("print(1)\n1/0", Ending.FAILED, "ZeroDivisionError"),
        ("print(1)\nimport sys\nsys.exit(1)", Ending.FAILED, "exit status 1"),
        ("print(1)\nimport os\nos.kill(os.getpid(), 15)", Ending.FAILED, "SIGTERM"),
        ("print(1)\nimport os\nos.kill(os.getpid(), 40)", Ending.FAILED, "signal 40"),
        ("import ctypes\nctypes.string_at(0)", Ending.FAILED, "SIGSEGV"),
        ("class E(Exception):\n    def __str__(self): raise self\nraise E", Ending.FAILED, "E"),
    ],
)
def test_how_a_bad_program_ends(executor: Executor, source: str, ending: Ending, error: str) -> None:
    """Every way to fail has its ending, also after output that was right."""
    (execution,) = _run(executor, source)
    assert execution.ending is ending
    assert error in execution.error


@pytest.mark.parametrize("source", [b"print(1)\0", b"# \xff\xfe\nprint(1)", b"x = '\xed\xa0\x80'"])
def test_bytes_that_are_no_source_are_a_compile_error(executor: Executor, source: bytes) -> None:
    """NUL and invalid UTF-8 are legal in an answer."""
    assert [execution.ending for execution in _run(executor, source, b"", b"")] == [Ending.COMPILE_ERROR]


def test_costs_are_measured(executor: Executor) -> None:
    """CPU seconds are the program's own, and the peak holds what it allocated."""
    source = "x = bytearray(b'1') * 100_000_000\nimport time\nwhile time.process_time() < 0.3: pass"
    (execution,) = _run(executor, source)
    assert execution.ending is Ending.FINISHED
    assert 0.1 < execution.cpu_seconds < 0.6
    assert 100_000_000 < execution.peak_memory_bytes < 200_000_000


def test_a_large_parent_does_not_count_as_the_programs_memory(executor: Executor) -> None:
    """The peak that a child inherits from a parent above the limit fails no program."""
    ballast = bytearray(b"1") * 400_000_000
    (execution,) = _run(executor, "print(1)")
    assert len(ballast) and execution.ending is Ending.FINISHED
    assert execution.peak_memory_bytes < 100_000_000


def test_file_problems_read_and_write_their_files(executor: Executor) -> None:
    """The input stands in the named file, the output is taken from the other; no test sees an earlier one's files."""
    source = (
        b"import os\nassert sorted(os.listdir('.')) == ['input.txt', 'solution.py'], os.listdir('.')\n"
        b"print(int(open('input.txt').read()) + 1, file=open('output.txt', 'w'))"
    )
    program = Program(source, input_file="input.txt", output_file="output.txt")
    with executor.open(program, "python", LIMITS) as session:
        outputs = [execution.output for execution in session.run([b"1", b"2"])]
    assert outputs == [b"2\n", b"3\n"]


def test_calls_return_values_by_type(executor: Executor) -> None:
    """Results keep their types, prints do not mix with them, and every argument is fresh."""
    source = "def f(x):\n    print('noise')\n    x.append(1)\n    return x, {1: {2}}, 1.5"
    outputs = [values.loads(one.output.decode()) for one in _call(executor, source, [[0]], [[0]])]
    assert outputs == [([0, 1], {1: {2}}, 1.5)] * 2


def test_a_class_solution_is_called_with_the_usual_names(executor: Executor) -> None:
    """LeetCode-style answers need no imports, and each call gets its own Solution."""
    source = (
        "class Solution:\n    def __init__(self): self.seen = []\n"
        "    def f(self, x: List[int]) -> int:\n        self.seen += x\n        return len(Counter(self.seen))"
    )
    executions = _call(executor, source, [[1, 2]], [[3]], prelude=CALL_PRELUDE)
    assert [one.output for one in executions] == [b"2", b"1"]


def test_a_call_that_fails_leaves_the_next_one_whole(executor: Executor) -> None:
    """Exception, exit, endless loop and sleep in one call each end that call only."""
    source = (
        "import os, time\n"
        "def f(what):\n"
        "    if what == 'raise': raise ValueError(what)\n"
        "    if what == 'exit': os._exit(0)\n"
        "    if what == 'quit': raise SystemExit(0)\n"
        "    while what == 'loop': pass\n"
        "    if what == 'sleep': time.sleep(60)\n"
        "    return what\n"
    )
    words = ["a", "raise", "exit", "b", "loop", "quit", "c", "sleep", "d"]
    endings = [one.ending for one in _call(executor, source, *[[word] for word in words])]
    done, failed = Ending.FINISHED, Ending.FAILED
    assert endings == [done, failed, failed, done, Ending.CPU_LIMIT, failed, done, Ending.IDLE_LIMIT, done]


@pytest.mark.parametrize(
    ("source", "ending", "error"),
    [
        ("def g(x): return x", Ending.FAILED, "defines no function 'f'"),
        ("1/0", Ending.FAILED, "ZeroDivisionError"),
        ("def f(x:", Ending.COMPILE_ERROR, "SyntaxError"),
        ("def f(x): return f(x)", Ending.FAILED, "RecursionError"),
        ("def f(x):\n    x.append(x)\n    return x", Ending.FAILED, "nested deeper"),
        ("def f(x): return [0] * 10**8", Ending.MEMORY_LIMIT, ""),
        ("while True: pass", Ending.CPU_LIMIT, ""),
        ("def f(x): return 'a' * (9 << 20)", Ending.OUTPUT_LIMIT, "larger than the output limit"),
        ("def f(x):\n    while True: print('a' * 10**6)", Ending.OUTPUT_LIMIT, "File too large"),
        ("import sys\nsys.exit(0)", Ending.FAILED, "SystemExit"),
    ],
)
def test_how_a_bad_call_ends(executor: Executor, source: str, ending: Ending, error: str) -> None:
    """Every way to fail in a call has its ending."""
    execution = _call(executor, source, [[1]])[0]
    assert (execution.ending, error in execution.error) == (ending, True), execution


def test_writing_to_the_control_socket_is_a_failure(executor: Executor) -> None:
    """A frame that the program forges fails the call instead of answering it or the next one."""
    source = (
        "import os, stat\n"
        "def f(x):\n"
        "    for fd in range(3, 4096):\n"  # the reference's has the number that it has here
        "        try:\n"
        "            if stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, b'{\"value\": 1}\\n' * 3)\n"
        "        except OSError: pass\n"
        "    return 0\n"
    )
    executions = _call(executor, source, [1], [2])
    assert [execution.ending for execution in executions] == [Ending.FAILED] * 2
    assert "answers no request" in executions[0].error


def _open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _command_lines() -> str:
    """Return the command lines of all processes that still run."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(path.read_text(errors="replace"))
    return "\n".join(lines)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders, descriptors and processes are gone after sessions that ended well, badly and early."""
    executor = ReferenceExecutor()  # what the hardened one leaves: test_leaks.py
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = _open_descriptors()
    fork = "import os, time\nif os.fork() == 0:\n    time.sleep(60)\nprint(1)"
    for source in ("print(1)", "while True: pass", fork, "1 +"):
        _run(executor, source)
    with executor.open(Program(b"def f(x): return x", "f"), "python", LIMITS) as session:
        next(iter(session.run([values.dumps([1]).encode()] * 3)))
        assert str(tmp_path) in _command_lines()  # else the check below would prove nothing
    assert list(tmp_path.iterdir()) == []
    assert _open_descriptors() == before
    assert str(tmp_path) not in _command_lines()


def test_an_interpreter_that_vanished_is_the_machines_failure(tmp_path: Path) -> None:
    """What happens before the program is compiled is not blamed on it."""
    link = tmp_path / "python"
    link.symlink_to(sys.executable)
    executor = ReferenceExecutor(str(link))
    link.unlink()
    assert [one.ending for one in _run(executor, "print(1)")] == [Ending.INFRASTRUCTURE]
    assert [one.ending for one in _call(executor, "def f(x): return x", [1])] == [Ending.INFRASTRUCTURE]


def test_a_long_result_comes_as_its_digest_where_that_was_asked(executor: Executor) -> None:
    """Whatever the output limit; the program needs no more memory for it, and a short result comes as it is."""
    long = values.DIGEST_BYTES
    with executor.open(Program(b"def f(n): return ['a' * n]", "f", digests=True), "python", LIMITS) as session:
        first, short = session.run(values.dumps([n]).encode() for n in (long, 3))
    assert first.output.decode() == values.dumps_or_digest(["a" * long])
    assert first.peak_memory_bytes < 1.5 * long and short.output == b'["aaa"]'


def test_another_language_is_refused(executor: Executor) -> None:
    """The error names the language and what is known."""
    with pytest.raises(TurnwiseError, match=r"'ada'.*python"):
        executor.open(Program(b""), "ada", LIMITS)
