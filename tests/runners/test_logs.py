"""Append-only logs: lines outlive the process, torn tails harm nobody, one writer at a time."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from turnwise.errors import TurnwiseError
from turnwise.runners.logs import AppendLog, Syncer


def test_the_file_is_made_with_its_first_line(tmp_path: Path) -> None:
    """A log nobody writes to leaves nothing."""
    log = AppendLog(tmp_path / "deep" / "a.jsonl")
    log.sync()
    assert not (tmp_path / "deep").exists()
    log.write("one")
    assert (tmp_path / "deep" / "a.jsonl").read_bytes() == b"one\n"
    log.close()


@pytest.mark.parametrize("tail", [b"torn", b"\0\0\0"])
def test_a_torn_tail_does_not_swallow_the_next_line(tmp_path: Path, tail: bytes) -> None:
    """What is appended begins a line of its own; what stood there stays as it was."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"one\n" + tail)
    log = AppendLog(path)
    log.write("two")
    log.close()
    assert path.read_bytes() == b"one\n" + tail + b"\ntwo\n"


def test_a_full_disk_is_named_with_the_file() -> None:
    """What could not be written is dropped, so that closing the log has nothing to say any more."""
    log = AppendLog(Path("/dev/full"))
    for _ in range(2):
        with pytest.raises(OSError) as caught:
            log.write("one")
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, "/dev/full")
    log.close()


def test_a_line_outlives_kill_minus_nine(tmp_path: Path) -> None:
    """It is in the file as soon as ``write`` returns."""
    path = tmp_path / "a.jsonl"
    code = (
        "import os, pathlib, sys\nfrom turnwise.runners.logs import AppendLog\n"
        "AppendLog(pathlib.Path(sys.argv[1])).write('kept')\nos.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    assert path.read_bytes() == b"kept\n"


def test_a_second_writer_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    """One sentence with the file and what to do; closing frees it."""
    path = tmp_path / "a.jsonl"
    first = AppendLog(path, exclusive=True)
    with pytest.raises(TurnwiseError, match=r"Another process is working in this run folder.*a.jsonl'.*wait"):
        AppendLog(path, exclusive=True)
    first.close()
    AppendLog(path, exclusive=True).close()


def test_the_syncer_syncs_what_it_watches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each log that was written to, while it is watched; closing the syncer ends its thread."""
    monkeypatch.setattr("turnwise.runners.logs.SYNC_SECONDS", 0.01)
    synced: dict[str, int] = {}

    class Watched(AppendLog):
        def sync(self) -> None:
            synced[self.path.name] = synced.get(self.path.name, 0) + 1
            super().sync()

    syncer = Syncer()
    logs = [Watched(tmp_path / name) for name in ("a", "b")]
    for log in logs:
        syncer.watch(log)
    logs[0].write("x")
    while min(synced.get("a", 0), synced.get("b", 0)) < 2:
        pass
    syncer.forget(logs[0])
    syncer.close()
    before = dict(synced)
    logs[0].close()
    assert synced["a"] == before["a"] + 1 and synced["b"] == before["b"]
