"""Odd machines: low limits, closed streams, no /proc, no home. What they spoil is missing, and the reason is said."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from turnwise.runners.execution.host import cpu_model
from turnwise.runners.execution.interpreters import inspect_interpreter
from turnwise.slurm.cluster import python_of
from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.supervisor import worker_command

ANSWERS = Path(__file__).resolve().parents[2] / "benchmarks" / "sample" / "answers" / "repairing.jsonl"
SAMPLE = Path(__file__).resolve().parents[2] / "benchmarks" / "sample"
PASSES = "print(1)"
# A program that never says why it fails.
HIDES_IT = "try:\n    x = bytearray(700_000_000)\n    print(1)\nexcept MemoryError:\n    print(2)\n"
NEEDS_MEMORY = "x = bytearray(700_000_000)\nprint(1)\n"
RECURSES = (
    "import sys\nfrom functools import lru_cache\nsys.setrecursionlimit(10**6)\n\n"
    "@lru_cache(None)\ndef f(n):\n    return 1 if n == 0 else f(n - 1)\n\nprint(f(50000))\n"
)
WRITES_MUCH = "print('1' * 300_000)\n"
STARTS_THREADS = (
    "import threading, time\nall = [threading.Thread(target=time.sleep, args=(0.2,)) for _ in range(8)]\n"
    "for one in all:\n    one.start()\nprint(1)\n"
)


def _in_shell(before: str, *arguments: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command line after the shell's commands ``before``, such as ``ulimit``."""
    command = shlex.join([sys.executable, "-m", "turnwise", *arguments])
    line = f"{before}\nexec {command}" if not before.startswith("#") else f"exec {command} {before[1:]}"
    environment = {**os.environ, **environ}
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )


def _check(before: str, program: str, folder: Path, *, expected: str = "1", **environ: str) -> tuple[int, str, str]:
    """Judge ``program`` after ``before``; return exit status, verdict and what was said."""
    (folder / "program.py").write_text(program)
    (folder / "tests.json").write_text(json.dumps({"public": [{"input": "", "output": expected}]}))
    done = _in_shell(before, "check", "program.py", "--tests", "tests.json", "--json", folder=folder, **environ)
    return done.returncode, json.loads(done.stdout)["verdict"] if done.stdout else "", done.stderr


@pytest.mark.parametrize(
    ("limit", "program", "name"),
    [
        ("-v 600000", NEEDS_MEMORY, "address space is 585 MiB"),
        ("-v 600000", HIDES_IT, "address space"),
        pytest.param("-d 600000", NEEDS_MEMORY, "data is 585 MiB", marks=pytest.mark.long),
        ("-s 8192", RECURSES, "the stack is 8 MiB"),
        pytest.param("-f 200", WRITES_MUCH, "the size of a file is 200 KiB", marks=pytest.mark.long),
        pytest.param("-u 5", STARTS_THREADS, "processes and threads is 5", marks=pytest.mark.long),
    ],
)
def test_what_an_inherited_limit_makes_fail_is_missing(limit: str, program: str, name: str, tmp_path: Path) -> None:
    """Never the program's failure; the limit is named with its value, and how to raise it."""
    expected = "1" * 300_000 if program is WRITES_MUCH else "1"
    status, verdict, said = _check(f"ulimit {limit}", program, tmp_path, expected=expected)
    assert (status, verdict) == (3, "infrastructure_failure"), said
    assert name in said and f"ulimit {limit[:2]}" in said and "Traceback" not in said


def test_a_pass_is_a_pass_under_any_limit(tmp_path: Path) -> None:
    """And text that is no program is none anywhere."""
    assert _check("ulimit -v 600000 -s 8192 -f 500 -u 50", PASSES, tmp_path)[:2] == (0, "passed")
    assert _check("ulimit -v 600000", "print(", tmp_path)[:2] == (0, "compile_error")


def test_signals_that_are_ignored_around_the_judge_reach_programs(tmp_path: Path) -> None:
    """As with nohup and in a shell's background, where one that interrupts itself would wait for ever."""
    program = (
        "import os, signal\nassert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL\n"
        "try:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept KeyboardInterrupt:\n    print(1)\n"
    )
    assert _check("trap '' INT HUP", program, tmp_path)[:2] == (0, "passed")


def test_what_surrounds_the_judge_is_no_programs_business(tmp_path: Path) -> None:
    """A program has the usual umask and hears its signals, whatever the shell or a batch system set."""
    program = (
        "import os, signal\nsignal.signal(signal.SIGALRM, lambda *_: print(1))\nassert os.umask(0) == 0o22\n"
        "os.kill(os.getpid(), signal.SIGALRM)\n"
    )
    start = "import os, signal, sys\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n"
    (tmp_path / "start.py").write_text(f"{start}os.umask(0o77)\nos.execv(sys.argv[1], sys.argv[1:])\n")
    through = 'exec() { builtin exec "$1" -I start.py "$@"; }'
    assert _check(through, program, tmp_path)[:2] == (0, "passed")


@pytest.mark.parametrize("mask", ["0777", *(pytest.param(one, marks=pytest.mark.long) for one in ("0277", "000"))])
def test_a_umask_that_takes_our_own_rights_takes_none(mask: str, tmp_path: Path, cache_dir: Path) -> None:
    """What is written can be read again, by an ordinary user too."""
    user = "setpriv --bounding-set=-all --inh-caps=-all" if os.getuid() == 0 else "env"
    start = f'exec() {{ umask {mask}; builtin exec {user} "$@"; }}'
    assert _check(start, PASSES, tmp_path)[:2] == (0, "passed")
    if mask == "0777":
        line = ["run", "-M", "replay", "-a", f"path={ANSWERS}", "-t", "sample_mbpp_plus_singleturn", "--limit", "1"]
        done = _in_shell(start, *line, "-o", "o", folder=tmp_path, TURNWISE_CACHE=str(cache_dir))
        assert done.returncode == 0, done.stderr


def test_modules_of_the_working_folder_are_not_taken_for_pythons(tmp_path: Path) -> None:
    """Neither by a command nor by the workers that it starts where it was submitted."""
    for name in ("random", "json", "struct", "numpy", "pydantic", "yaml"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')\n")
    assert _check("", PASSES, tmp_path)[:2] == (0, "passed")
    worker = subprocess.run(
        worker_command(tmp_path, 1, "sample", 0), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert worker.returncode == 2 and "submission" in worker.stderr, worker.stderr
    assert python_of(ClusterProfile()).endswith(" -P")


# In place of the line's program: started where the kernel refuses the system call of a number with an errno.
REFUSES = """
import ctypes, os, struct, sys
number, errno = map(int, sys.argv[1:3])
lines = (0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x50000 | errno), (0x06, 0, 0, 0x7fff0000)
text = b"".join(struct.pack("HBBI", *line) for line in lines)
filter = struct.pack("HxxxxxxP", 4, ctypes.addressof(kept := ctypes.create_string_buffer(text)))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, filter) == 0
os.execv(sys.argv[3], sys.argv[3:])
"""
_long = pytest.mark.long


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="system calls have other numbers here")
@pytest.mark.parametrize(
    ("call", "number", "errno", "words"),
    [
        ("clone3", 435, 1, "No more threads can be started here"),  # as old container runtimes refuse it
        pytest.param("landlock", 444, 1, "", marks=_long),
        pytest.param("seccomp", 317, 38, "any isolation tier lacks seccomp", marks=_long),
        pytest.param("unshare", 272, 1, "", marks=_long),
        pytest.param("sched_getaffinity", 204, 38, "refuses a system call that turnwise needs", marks=_long),
        pytest.param("getpriority", 140, 38, "first process did not start: OSError", marks=_long),
        pytest.param("prctl", 157, 1, "first process did not start: PermissionError", marks=_long),
        pytest.param("socketpair", 53, 1, "refuses a system call that turnwise needs", marks=_long),
    ],
)
def test_a_container_that_refuses_a_system_call_is_named(
    call: str, number: int, errno: int, words: str, tmp_path: Path
) -> None:
    """Or does without; in a sentence, and never as if somebody had interrupted the line."""
    (tmp_path / "start.py").write_text(REFUSES)
    status, verdict, said = _check(
        f'exec() {{ builtin exec "$1" -I start.py {number} {errno} "$@"; }}', PASSES, tmp_path
    )
    assert (status, verdict) == ((3, "") if words else (0, "passed")), (call, said)
    assert words in said and said.count("\n") == bool(words)


def test_soft_limits_are_raised_for_programs(tmp_path: Path) -> None:
    """What the shell sets for a start, and may be raised by anybody, fails nothing; 64 open files are enough then."""
    assert _check("ulimit -S -v 600000 -d 600000 -s 8192 -n 64", NEEDS_MEMORY, tmp_path)[:2] == (0, "passed")


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("-n 64", "The hard limit of open files is 64, below"),
        ("-v 100000", "The hard limit of memory is 97 MiB, below the 400 MiB that turnwise itself needs"),
    ],
)
def test_what_turnwise_itself_lacks_is_one_sentence(limit: str, words: str, tmp_path: Path) -> None:
    """Before anything is judged; exit status 3."""
    status, verdict, said = _check(f"ulimit {limit}", PASSES, tmp_path)
    assert (status, verdict) == (3, "") and said.count("\n") == 1 and words in said


@pytest.mark.long
def test_doctor_names_the_limit(tmp_path: Path) -> None:
    """And does not say that all is well."""
    doctor = _in_shell("ulimit -v 600000", "doctor", folder=tmp_path)
    assert doctor.returncode == 3 and "The hard limit of address space is 585 MiB" in doctor.stdout
    assert doctor.stdout.splitlines()[-1] == "Do not judge programs here."


@pytest.mark.long
def test_a_run_names_the_limit(tmp_path: Path, cache_dir: Path) -> None:
    """Before anything is asked; what the limit may have made fail is missing in its tables."""
    answers = tmp_path / "answers.jsonl"
    programs = ["print(sum(map(int, input().split())))", HIDES_IT]
    lines = [{"task_id": f"sample_taco/{number}", "solution": program} for number, program in enumerate(programs)]
    answers.write_text("".join(json.dumps(line) + "\n" for line in lines))
    line = [
        "run",
        "-M",
        "replay",
        "-a",
        "path=answers.jsonl",
        "-t",
        "sample_taco_singleturn",
        "--limit",
        "2",
        "-o",
        "o",
    ]
    run = _in_shell("ulimit -v 600000", *line, folder=tmp_path, TURNWISE_CACHE=str(cache_dir))
    assert "The hard limit of address space is 585 MiB" in run.stderr and "Traceback" not in run.stderr
    shards = (tmp_path / "o").glob("trajectories/*/*.jsonl")
    told = [json.loads(line)["end"] for path in shards for line in path.read_text().splitlines()]
    assert "infrastructure_failure" in told, (run.stdout, told)


def test_an_environment_of_a_thousand_packages_is_isolated_as_any_other(tmp_path: Path) -> None:
    """With the usual 1024 open files, although each package is shown by itself, since one of them is hidden."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "venv"], cwd=tmp_path, check=True)
    (packages,) = (tmp_path / "venv").glob("lib/python3*/site-packages")
    for name in ("evalplus", *(f"package{number}" for number in range(1100))):
        (packages / name).mkdir()
    interpreter = str(tmp_path / "venv" / "bin" / "python")
    (tmp_path / "program.py").write_text("import package7\nprint(1)\n")
    (tmp_path / "tests.json").write_text('{"public": [{"input": "", "output": "1"}]}')
    line = ["check", "program.py", "--tests", "tests.json", "--json"]
    done = _in_shell("ulimit -S -n 1024", *line, "--interpreter", interpreter, folder=tmp_path)
    (tmp_path / "program.py").write_text("print(1)\n")
    usual = _in_shell("", *line, folder=tmp_path)
    assert json.loads(done.stdout)["verdict"] == "passed", done.stdout
    assert json.loads(done.stdout)["tier"] == json.loads(usual.stdout)["tier"]


@pytest.mark.parametrize(
    "closed",
    ["<&-", "<&- >&- 2>&-", *(pytest.param(one, marks=pytest.mark.long) for one in (">&-", "2>&-", "<&- 2>&-"))],
)
def test_closed_streams_close_nothing_else(closed: str, tmp_path: Path) -> None:
    """No file of ours gets the number of a standard stream."""
    status, verdict, said = _check(f"#{closed}", PASSES, tmp_path)
    assert (status, verdict) == (0, "" if ">&-" in closed.split() else "passed") and not said


def test_a_working_folder_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    """Exit status 2."""
    done = _in_shell("mkdir gone; cd gone; rmdir ../gone", "tasks", folder=tmp_path, PYTHONSAFEPATH="1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "turnwise: The working folder does not exist any more: change to another (cd).\n"


def test_no_proc_is_one_sentence(tmp_path: Path) -> None:
    """Only what runs programs needs it; a namespace stands for a container without one."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are forbidden here")
    (tmp_path / "program.py").write_text(PASSES)
    (tmp_path / "tests.json").write_text('{"public": [{"input": "", "output": "1"}]}')
    for arguments, status in ((["check", "program.py", "--tests", "tests.json"], 3), (["tasks"], 0)):
        command = shlex.join([sys.executable, "-m", "turnwise", *arguments])
        line = ["unshare", "-rm", "sh", "-c", f"mount -t tmpfs none /proc && exec {command}"]
        done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == status, done.stderr
        assert done.stderr.count("\n") == bool(status) and ("There is no /proc here" in done.stderr) == bool(status)


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A run says where it keeps things, and how to choose another place, before anything is asked."""
    (tmp_path / "home").write_text("a file")
    line = ["run", "-M", "replay", "-a", "path=x", "-t", "sample_taco_singleturn", "-o", "o"]
    done = _in_shell("unset TURNWISE_CACHE XDG_CACHE_HOME", *line, folder=tmp_path, HOME=str(tmp_path / "home"))
    assert done.returncode == 2 and "set TURNWISE_CACHE to another" in done.stderr and done.stderr.count("\n") == 1


def test_a_folder_for_temporary_files_is_found_without_tmpdir(tmp_path: Path) -> None:
    """One that does not exist is passed over, as everywhere."""
    assert _check("", PASSES, tmp_path, TMPDIR=str(tmp_path / "none"))[:2] == (0, "passed")


def test_interpreters_are_known_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked for on PATH, as a shell does; a relative path is one from here; what starts another stands for it."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "odd-python").write_text('#!/bin/sh\nexec "$REAL" "$@"\n')
    (tmp_path / "bin" / "odd-python").chmod(0o755)
    (tmp_path / "program.py").write_text(PASSES)
    (tmp_path / "tests.json").write_text('{"public": [{"input": "", "output": "1"}]}')
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    line = ["check", "program.py", "--tests", "tests.json", "--interpreter"]
    found = inspect_interpreter(sys.executable)
    done = _in_shell("", *line, "odd-python", folder=tmp_path, PATH=path, REAL=sys.executable)
    assert done.returncode == 0, done.stderr
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REAL", sys.executable)
    assert inspect_interpreter("bin/odd-python") == found


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("python0.1", "there is none of that name on PATH"),
        ("bin/none", "there is no such program file"),
        (f"{'n' * 300}/python", "File name too long"),
        pytest.param("..", "there is none of that name on PATH", marks=pytest.mark.long),
        ("yes", "it does not answer as Python does"),
        pytest.param("false", "it does not answer as Python does", marks=pytest.mark.long),
    ],
)
def test_what_is_no_interpreter_is_one_sentence(name: str, words: str, tmp_path: Path) -> None:
    """Whatever it prints, and however much."""
    done = _in_shell("", "doctor", "--interpreter", name, folder=tmp_path)
    assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_programs_near_their_limit_are_counted(tmp_path: Path, cache_dir: Path) -> None:
    """The limit, the slowest test and the CPU stand beside the verdict and the costs, and not in run.json."""
    problem = json.loads((SAMPLE / "humaneval_plus.jsonl").read_text().splitlines()[0])
    # Its first call takes 0.3 s of the 0.4 s that are left by the factor.
    slow = "import time\nspent = []\n\ndef burn():\n    end = time.process_time() + (0 if spent else 0.3)\n"
    slow += "    spent.append(1)\n    while time.process_time() < end:\n        pass\n\n"
    body = "    burn()\n" + problem["canonical_solution"]
    answer = {"task_id": problem["task_id"], "solution": slow + problem["prompt"] + body}
    (tmp_path / "answers.jsonl").write_text(json.dumps(answer))
    line = ["run", "-M", "replay", "-a", "path=answers.jsonl", "-t", "sample_humaneval_plus_singleturn", "--limit", "1"]
    line += ["--time_factor", "0.1", "--workers", "1", "-o", "o"]
    done = _in_shell("", *line, folder=tmp_path, TURNWISE_CACHE=str(cache_dir))
    assert done.returncode == 0, done.stderr
    assert "1 of 1 judged programs took half their time limit or more (0 ran out of it) on " in done.stdout
    (judged,) = map(json.loads, (tmp_path / "o" / "verdicts" / "main.jsonl").read_text().splitlines())
    assert judged["limit_seconds"] == 0.4 and 0.2 <= judged["slowest_seconds"] <= 0.4 and judged["cpu"] == cpu_model()
    assert json.loads((tmp_path / "o" / "costs" / "main.jsonl").read_text().splitlines()[-1])["cpu"] == cpu_model()
    assert cpu_model() not in (tmp_path / "o" / "run.json").read_text()
