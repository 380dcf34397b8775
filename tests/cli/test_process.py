"""The process of the command line: full disks, closed pipes, narrow encodings and signals never end in a traceback."""

import errno
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from turnwise.cli.main import error_of


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "turnwise", *arguments]


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "o/x.jsonl"),
            3,
            "No space left on device: 'o/x.jsonl': make room (or mend the file system), then run the same line again.",
        ),
        (
            OSError(errno.EDQUOT, "Disk quota exceeded"),
            3,
            "Disk quota exceeded: make room (or mend the file system), then run the same line again.",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "o"),
            2,
            "Permission denied: 'o': mend that path, or name another.",
        ),
        (
            OSError(errno.EMFILE, "Too many open files"),
            3,
            "Too many open files: raise the limit of open files (ulimit -n 4096), then run the same line again.",
        ),
        (OSError("cannot read it"), 2, "cannot read it."),
    ],
)
def test_a_file_that_cannot_be_had_is_one_sentence(error: OSError, status: int, said: str) -> None:
    """A full or broken disk is the machine's failure, with what to do; without a name none is made up."""
    found = error_of(error)
    assert (found.exit_status, str(found)) == (status, said)


def test_a_full_disk_ends_with_3_and_what_to_do(tmp_path: Path) -> None:
    """/dev/full refuses what is written, as a full disk does."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(_command("tasks"), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        3,
        "turnwise: No space left on device: make room (or mend the file system), then run the same line again.\n",
    )


@pytest.mark.parametrize("arguments", [("tasks",), ("--help",), ("run", "--help")])
def test_a_closed_pipe_is_no_error(arguments: tuple[str, ...]) -> None:
    """What is printed to a reader that has gone ends quietly, with the status of a process that died of it."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(_command(*arguments), stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_what_a_reader_took_before_it_left_is_whole() -> None:
    """``turnwise tasks | head -1``: the first line, and nothing on standard error."""
    line = f"set -o pipefail; {shlex.join(_command('run', '--help'))} | head -1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert done.stdout == "Usage: turnwise run [OPTIONS]\n" and done.stderr == ""
    assert done.returncode in (0, 141)  # by whether head had left when it printed


_SAID = b"turnwise: interrupted; run the same line again to go on.\n"
_SIGNALLED_IMPORT = """
import os, sys
from turnwise.cli.main import main

module, number = sys.argv.pop(1), int(sys.argv.pop(1))

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), number)

sys.meta_path.insert(0, Finder())
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["typer", "turnwise.cli.app", "turnwise.commands.run", "numpy", "pydantic_core"])
def test_a_signal_during_an_import_is_one_sentence(module: str, number: signal.Signals, tmp_path: Path) -> None:
    """Modules are half there at that moment, and would fail in other ways if they went on."""
    line = ["run", "-M", "replay", "-a", "path=none", "-t", "sample_taco_multiturn", "-o", "o"]
    command = [sys.executable, "-c", _SIGNALLED_IMPORT, module, str(int(number)), *line]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", _SAID)


def _catches(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_moment_of_the_start_is_one_sentence(number: signal.Signals, tmp_path: Path) -> None:
    """From the moment on at which the handlers stand; after all is said it ends the process as it ends any."""
    moments = random.Random(int(number))
    were_told = 0
    for delay in [0.0, 0.0, *(moments.uniform(0, 0.4) for _ in range(10))]:
        process = subprocess.Popen(_command("tasks"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=tmp_path)
        while process.poll() is None and not _catches(process.pid, signal.SIGTERM):  # Python has its own for SIGINT
            time.sleep(0.0005)
        time.sleep(delay)
        process.send_signal(number)
        _, said = process.communicate()
        assert (process.returncode, said) in [(130, _SAID), (0, b""), (-number, b"")], (process.returncode, said)
        were_told += process.returncode == 130
    assert were_told  # else nothing was tested


def _said_by(work: str, folder: Path) -> tuple[int, bytes, bytes]:
    """Return status and output of a process whose command is ``work``, the source of a function of that name."""
    program = f"import os, signal, time\nimport turnwise.cli.main as line\n\n{work}\nline._run = work\nline.main()\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=folder, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_second_signal_leaves_at_once(tmp_path: Path) -> None:
    """Whatever the first one has begun to end."""
    work = (
        "def work(_):\n    try:\n        os.kill(os.getpid(), signal.SIGINT)\n    finally:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n        print('not reached')\n"
    )
    assert _said_by(work, tmp_path) == (130, b"", _SAID)


def test_ctrl_c_stays_ignored_where_it_was(tmp_path: Path) -> None:
    """As for what a shell runs in the background; SIGTERM is heard there, too."""
    work = (
        "def work(_):\n    os.kill(os.getpid(), signal.SIGINT)\n    print('went on', flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n    print('not reached')\n"
    )
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert _said_by(work, tmp_path) == (130, b"went on\n", _SAID)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_signal_in_a_finalizer_is_not_swallowed(tmp_path: Path) -> None:
    """Python has nobody there to raise it to."""
    work = (
        "class Thing:\n    def __del__(self):\n        os.kill(os.getpid(), signal.SIGINT)\n        time.sleep(9)\n\n"
        "def work(_):\n    Thing()\n    print('not reached')\n    return 0\n"
    )
    assert _said_by(work, tmp_path) == (130, b"", _SAID)


@pytest.mark.parametrize("setting", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_what_a_stream_cannot_hold_is_shown_escaped(setting: dict[str, str], tmp_path: Path) -> None:
    """On standard output and standard error; no command ends for a letter."""
    environment = dict(os.environ, PYTHONCOERCECLOCALE="0", **setting)
    (tmp_path / "tests.json").write_text('{"public": [{"input": "\u00e9", "output": "\u00e8"}]}', encoding="utf-8")
    (tmp_path / "echo.py").write_text("print(input())", encoding="ascii")
    command = _command("check", "echo.py", "--tests", "tests.json")
    shown = subprocess.run(command, capture_output=True, cwd=tmp_path, env=environment, check=False)
    assert shown.returncode == 0 and rb"\xe8" in shown.stdout, shown.stderr
    refused = subprocess.run(_command("tasks", "caf\u00e9"), capture_output=True, env=environment, check=False)
    assert refused.returncode == 2 and refused.stderr.startswith(b"turnwise: Unknown task 'caf\\"), refused.stderr
