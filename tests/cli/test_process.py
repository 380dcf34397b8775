"""The process of the command line: full disks, closed pipes, narrow encodings and signals never end in a traceback."""

import errno
import os
import shlex
import subprocess
import sys
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
        (PermissionError(errno.EACCES, "Permission denied", "o"), 2, "Permission denied: 'o'."),
        (OSError(errno.EMFILE, "Too many open files"), 2, "Too many open files."),
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
