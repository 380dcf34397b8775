"""The layers as a program meets them, in each tier: what it sees, holds and may use."""

import importlib.util
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Self

import pytest
from processes import holds_soon
from tiers import TIERS, executor_in

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.problem import Limits
from turnwise.runners.execution import canaries, hardened
from turnwise.runners.execution.hardened import HardenedExecutor, StdinSession
from turnwise.runners.execution.interface import Ending, Execution, Program
from turnwise.runners.execution.reference import ReferenceExecutor
from turnwise.runners.execution.sandbox import confinement
from turnwise.runners.execution.worker import LayerMissingError, Worker, WorkerKind

LIMITS = Limits(2.0, 256_000_000, output_limit_bytes=4 << 20)


@pytest.fixture(scope="module", params=TIERS)
def executor(request: pytest.FixtureRequest) -> Iterator[HardenedExecutor]:
    """One executor per tier."""
    with executor_in(request.param) as hardened_executor:
        yield hardened_executor


def _run(executor: HardenedExecutor | ReferenceExecutor, source: str, **options: str) -> Execution:
    program = Program(source.encode(), **options)
    with executor.open(program, "python", LIMITS) as session:
        (execution,) = session.run([b""])
    return execution


def _output(executor: HardenedExecutor, source: str) -> str:
    execution = _run(executor, source)
    assert execution.ending is Ending.FINISHED, execution.error
    return execution.output.decode().strip()


def test_every_canary_is_refused(executor: HardenedExecutor) -> None:
    """Files, network, processes, environment, limits, privileges and system calls all hold."""
    results = canaries.self_test(executor)
    assert [one for one in results if not one.held] == []
    assert {one.layer for one in results} == {
        "files", "network", "processes", "environment", "limits", "privileges", "system calls",
    }  # fmt: skip


@dataclass
class _Telling:
    """A fake executor, and its session: the program of the canaries says what it is told to say."""

    lines: list[object]
    name: str = "telling 1"
    tier: str = "A"
    interpreter: str = "no Python"

    def open(self, program: Program, language: str, limits: Limits) -> "_Telling":
        return self

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        for _ in inputs:
            yield Execution(Ending.FINISHED, "\n".join(map(json.dumps, self.lines)).encode())

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


HELD, ESCAPED = ["files", "read a secret", "refused (x)", True], ["network", "connect", "succeeded: 'x'", False]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HELD, ESCAPED, "whole"], r"could escape from tier A, so none is run \(network: connect: succeeded"),
        ([HELD], "self-test did not end"),
        ([], "self-test did not end"),
    ],
)
def test_one_canary_that_got_out_is_enough_to_refuse(lines: list[object], message: str) -> None:
    """By its name; and so is a test that was not carried to its end, which shows nothing."""
    with pytest.raises(InfrastructureError, match=message):
        canaries.require_containment(_Telling(lines))
    canaries.require_containment(_Telling([HELD, "whole"]))


def test_an_executor_from_which_programs_escape_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the canaries find is an error when the executor is made, before any program was judged."""

    def leaky(executor: HardenedExecutor) -> None:
        raise InfrastructureError("Programs could escape")

    monkeypatch.setattr(hardened, "require_containment", leaky)
    with pytest.raises(InfrastructureError, match="could escape"):
        HardenedExecutor()


def test_the_tier_stands_in_the_executor(executor: HardenedExecutor) -> None:
    """Name, tier and interpreter are what a report says of it."""
    assert executor.name == "hardened 1"
    assert executor.tier in "ABC"
    assert executor.interpreter.startswith("CPython")


def test_an_unknown_tier_is_refused() -> None:
    """The error names the tiers there are."""
    with pytest.raises(TurnwiseError, match=r"'D'.*A, B, C"):
        HardenedExecutor(tier="D")


def _worker_without(*layers: str) -> Callable[..., Worker]:
    def start(interpreter: str, tier: str, kind: WorkerKind) -> Worker:
        for layer in layers:
            if tier in {"namespaces": "AC", "landlock": "AB", "seccomp": "ABC"}[layer]:
                raise LayerMissingError(layer, "not here")
        return Worker(interpreter, tier, kind)

    return start


@pytest.mark.parametrize(("missing", "tier"), [((), "A"), (("namespaces",), "B"), (("landlock",), "C")])
def test_the_best_tier_that_can_be_had_is_taken(
    monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], tier: str
) -> None:
    """Without namespaces it is B, without Landlock C."""
    monkeypatch.setattr(hardened, "Worker", _worker_without(*missing))
    with HardenedExecutor() as best:
        assert best.tier == tier


@pytest.mark.parametrize(
    ("missing", "tier", "words"),
    [
        (("namespaces", "landlock"), "", ["any isolation tier", "namespaces: not here", "landlock: not here", "lsm="]),
        (("seccomp",), "", ["seccomp: not here", "kernel with seccomp"]),
        (("namespaces",), "A", ["tier A", "namespaces: not here", "user namespaces"]),
    ],
)
def test_without_a_tier_nothing_is_run(
    monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], tier: str, words: list[str]
) -> None:
    """The error says that programs could escape, what is missing, and what would help."""
    monkeypatch.setattr(hardened, "Worker", _worker_without(*missing))
    with pytest.raises(InfrastructureError, match="could escape, so none is run") as raised:
        HardenedExecutor(tier=tier)
    assert [word for word in words if word not in str(raised.value)] == []


def test_a_program_holds_three_descriptors(executor: HardenedExecutor) -> None:
    """Standard input, output and error, and no socket of ours."""
    source = (
        "import os\nheld = []\nfor n in range(300):\n"
        "    try: held.append((os.fstat(n), n)[1])\n    except OSError: pass\nprint(held)"
    )
    assert _output(executor, source) == "[0, 1, 2]"


def test_a_program_has_no_capability_and_cannot_gain_one(executor: HardenedExecutor) -> None:
    """Becoming root, another group or another root folder is refused."""
    source = (
        "import os\n"
        "for change in (lambda: os.setuid(0), lambda: os.setgroups([0]), lambda: os.chroot('/')):\n"
        "    try: change(); print('changed')\n"
        "    except PermissionError: print('refused')"
    )
    assert _output(executor, source).split() == ["refused"] * 3


def test_the_kernel_says_what_a_program_may(executor: HardenedExecutor) -> None:
    """As it sees a running program: two filters, no capability nor way to one, and the first to go without memory."""
    patient = Limits(20.0, 256_000_000)
    with (
        executor.open(Program(b"import time\ntime.sleep(60)"), "python", patient) as session,
        ThreadPoolExecutor() as pool,
    ):
        assert isinstance(session, StdinSession)
        running = pool.submit(next, session.run([b""]))
        assert holds_soon(
            lambda: (found := _status(session)).get("Seccomp") == "2" == found.get("Seccomp_filters", "2")
        )
        status, opened = _status(session), session._opened
        assert opened is not None
        worker = opened.worker
        killed_first = {
            Path(f"/proc/{pid}/oom_score_adj").read_text().strip()
            for pid in (worker.zygote(), worker.runner(), worker.child())
        }
        limits = _limits(worker.child())
        worker.kill_child()
        assert running.result().ending is Ending.INFRASTRUCTURE
    # Of an interpreter that only root may read, tier B keeps the right to read (confinement.py).
    allowed = {0, 1 << 2} if executor.tier == "B" and os.geteuid() == 0 else {0}
    assert {int(status[name], 16) for name in ("CapPrm", "CapEff")} <= allowed
    assert {int(status[name], 16) for name in ("CapInh", "CapAmb")} == {0}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert killed_first == {"1000"}
    is_shared = executor.tier == "B" and os.geteuid() != 0  # a user whose other processes count, too
    most = {"core file size": 0, "open files": 256, "cpu time": 38, "processes": 10**6 if is_shared else 512}
    assert {name: limits[name] <= number for name, number in most.items()} == dict.fromkeys(most, True), limits


def test_threads_of_one_program_take_no_room_from_another(executor: HardenedExecutor) -> None:
    """Each may have hundreds at the same time as the others: workers are not counted as one user."""
    source = (
        "import threading, time\nthreading.stack_size(65536)\nbegun = time.monotonic()\n"
        "def wait(): time.sleep(max(0, begun + 1 - time.monotonic()))\n"
        "for _ in range(400): threading.Thread(target=wait).start()\nprint(threading.active_count())"
    )
    with ThreadPoolExecutor() as pool:
        found = [pool.submit(_output, executor, source) for _ in range(3)]
    assert [one.result() for one in found] == ["401"] * 3


@pytest.mark.parametrize(
    ("user", "own_namespace", "release", "expected"),
    [
        (1000, False, "6.1.0-13-amd64", True),
        (65534, False, "6.1.0", True),
        (0x70001234, False, "4.18.0-553.el8_10", False),
        (1000, True, "5.14.0-427.el9", False),
        (1000, True, "5.4.0-190-generic", True),
        (1000, True, "?", True),
    ],
)
def test_who_counts_as_the_workers_user_is_known(
    user: int, own_namespace: bool, release: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ordinary user's other processes do, in a namespace of his own before Linux 5.14; an id of its own has none."""
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "host", release, "", "x86_64")))
    assert confinement.shares_user(user, own_namespace) is expected


def _status(session: StdinSession) -> dict[str, str]:
    """Return what /proc says of the program's process, nothing while there is none."""
    child = session._opened.worker.child() if session._opened else None
    with suppress(OSError):
        lines = Path(f"/proc/{child}/status").read_text().splitlines() if child else []
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return {}


def _limits(pid: int | None) -> dict[str, float]:
    """Return the hard limits of a process, in the kernel's words."""
    found = {}
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]:
        hard = line[26:].split()[1]
        found[line[4:26].strip()] = inf if hard == "unlimited" else float(hard)
    return found


def test_flags_of_the_standard_files_end_with_a_run(executor: HardenedExecutor) -> None:
    """All programs of a worker share the open files, and none may decide how a later one reads and writes."""
    number = "import fcntl, os\nflags = os.O_APPEND | os.O_NONBLOCK\nfor n in (0, 1, 2): "
    setting = _output(
        executor, number + "fcntl.fcntl(n, fcntl.F_SETFL, flags)\nprint(fcntl.fcntl(1, fcntl.F_GETFL) & flags)"
    )
    assert setting == str(os.O_APPEND | os.O_NONBLOCK)
    assert _output(executor, number + "print(fcntl.fcntl(n, fcntl.F_GETFL) & flags)").split() == ["0"] * 3


def test_a_program_may_lower_its_limits_but_not_raise_them(executor: HardenedExecutor) -> None:
    """As any process may; the stack's, too."""
    source = (
        "import resource as r\n"
        "soft, hard = r.getrlimit(r.RLIMIT_NOFILE)\n"
        "r.setrlimit(r.RLIMIT_NOFILE, (soft - 1, hard - 1))\n"
        "try: r.setrlimit(r.RLIMIT_NOFILE, (soft, hard))\n"
        "except ValueError: print(r.getrlimit(r.RLIMIT_CORE), r.getrlimit(r.RLIMIT_NOFILE)[0] == soft - 1)"
    )
    assert _output(executor, source) == "(0, 0) True"


def test_threads_are_bounded(executor: HardenedExecutor) -> None:
    """A thread bomb ends in an exception of its own, or at a limit."""
    source = (
        "import threading, time\nthreading.stack_size(32768)\n"
        "while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    )
    execution = _run(executor, source)
    assert execution.ending in (Ending.FAILED, Ending.CPU_LIMIT, Ending.MEMORY_LIMIT, Ending.IDLE_LIMIT)
    assert _output(executor, "print(1)") == "1"


def test_the_environment_is_the_same_everywhere(executor: HardenedExecutor) -> None:
    """Nothing of the judge's environment is seen; the user's name is nobody's."""
    names = json.loads(_output(executor, "import json, os\nprint(json.dumps(sorted(os.environ)))"))
    assert "PYTHONHASHSEED" in names
    assert not {"SHELL", "PYTHONPATH", "VIRTUAL_ENV"} & set(names)
    assert _output(executor, "import getpass, os\nprint(getpass.getuser(), os.environ['USER'])") == "user user"


def test_a_program_without_files_can_write_nowhere(executor: HardenedExecutor) -> None:
    """Neither where it starts nor at the usual places."""
    source = (
        "import os\n"
        "for folder in ('.', '/', '/tmp', '/dev/shm', '/var/tmp', os.path.expanduser('~')):\n"
        "    try: open(folder + '/planted', 'w'); print('wrote', folder)\n"
        "    except OSError: pass"
    )
    assert _output(executor, source) == ""


def test_the_folder_of_a_file_program_is_small(executor: HardenedExecutor) -> None:
    """It ends at 16 MB with a mount namespace; without one each file ends at the output limit."""
    source = "for n in range(40):\n    with open(f'f{n}', 'wb') as file: file.write(bytes(1 << 20))"
    execution = _run(executor, source, output_file="out")
    ended = Ending.FINISHED if executor.tier == "B" else Ending.FAILED
    assert execution.ending is ended
    assert ("No space left" in execution.error) is (ended is Ending.FAILED)


def test_hostile_files_harm_neither_the_judge_nor_the_next_run(executor: HardenedExecutor) -> None:
    """Links, pipes, deep folders and files that may not be read are gone or harmless."""
    source = (
        b"import os\nassert sorted(os.listdir('.')) == ['in', 'solution.py'], os.listdir('.')\n"
        b"for n in range(100): os.mkdir('d'); os.chdir('d')\n"
        b"for make in (lambda: os.symlink('/etc/passwd', '/box/out'), lambda: os.mkfifo('/box/out')):\n"
        b"    try: make()\n"
        b"    except OSError: pass\n"
        b"print('end')"
    )
    program = Program(source, input_file="in", output_file="out")
    with executor.open(program, "python", LIMITS) as session:
        executions = list(session.run([b"1", b"2"]))
    assert [one.output for one in executions] == [b"end\n"] * 2, executions[0].error


def test_answers_of_benchmarks_are_not_importable(executor: HardenedExecutor) -> None:
    """turnwise carries sample problems with their hidden tests; a program never sees it."""
    source = (
        "try:\n    import turnwise.benchmarks\n    print('found')\n"
        "except (ImportError, PermissionError): print('hidden')"
    )
    assert _output(executor, source) == "hidden"


def test_packages_with_answers_are_hidden_where_they_are_installed(executor: HardenedExecutor) -> None:
    """A harness among the interpreter's packages can be neither imported nor read; turnwise's wheel lies there, too."""
    spec = importlib.util.find_spec("lm_eval")
    if spec is None or spec.origin is None:
        pytest.skip("lm_eval is not installed")
    source = (
        "try:\n    import lm_eval\n    print('imported')\nexcept (ImportError, PermissionError): print('hidden')\n"
        f"try:\n    open({spec.origin!r})\n    print('read')\nexcept OSError: print('refused')"
    )
    assert _output(executor, source).split() == ["hidden", "refused"]


def test_other_packages_are_importable(executor: HardenedExecutor) -> None:
    """What lies beside a hidden package is found, and so is all of the standard library."""
    source = "import tabulate, sqlite3, html.parser\nprint(tabulate.__name__)"
    assert _run(executor, source).output == _run(ReferenceExecutor(), source).output


def test_frames_are_as_deep_as_without_a_sandbox(executor: HardenedExecutor) -> None:
    """A program that recurses to the limit gets as far as under the reference executor."""
    source = (
        "import sys\ndef f(n):\n    try: return f(n + 1)\n    except RecursionError: return n\n"
        "print(f(0), sys.getrecursionlimit())"
    )
    assert _output(executor, source) == _run(ReferenceExecutor(), source).output.decode().strip()


def test_a_result_says_the_same_of_an_error_as_without_a_sandbox(executor: HardenedExecutor) -> None:
    """Feedback to a model does not depend on the executor."""
    for source in ("import heapq\nheapq.heappush(1, 2)", "def f(): raise ValueError('x')\nf()", "exit('bye')", "1 +"):
        ours, plain = _run(executor, source), _run(ReferenceExecutor(), source)
        comparable = replace(ours, cpu_seconds=0, idle_seconds=0, peak_memory_bytes=0)
        assert comparable == replace(plain, cpu_seconds=0, idle_seconds=0, peak_memory_bytes=0)


def test_objects_are_torn_down_as_without_a_sandbox(executor: HardenedExecutor) -> None:
    """Unflushed files and __del__ of globals still write, though the usual program leaves at once."""
    source = (
        "class A:\n    def __del__(self): print('bye')\na = A()\nout = open(1, 'w', closefd=False)\nout.write('late ')"
    )
    assert _run(executor, source).output == _run(ReferenceExecutor(), source).output
