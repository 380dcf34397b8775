"""File systems without hard links or locks: shards are committed once all the same, and one process works at a time."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from turnwise.records.run_folder import RunFolder

ANSWERS = Path(__file__).resolve().parents[2] / "benchmarks" / "sample" / "answers" / "repairing.jsonl"
# Loaded by every Python with this folder on its path: what Lustre without flock, FAT, BeeGFS or FUSE say.
POOR = """
import errno, fcntl, os

def _no_link(*a, **k):
    raise PermissionError(errno.EPERM, "Operation not permitted", a[0], None, a[1])

def _no_lock(*a, **k):
    raise OSError(errno.ENOSYS, "Function not implemented")

os.link = _no_link
fcntl.flock = fcntl.lockf = _no_lock
"""
# Commits one of two texts under one name, and is killed before a random one of its system calls if told to.
COMMIT = """
import os, sys
from pathlib import Path
from turnwise.files import commit_once, finish_commit, write_synced
folder, text, left = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def killed_in(name):
    call = getattr(os, name)
    def counted(*a, **k):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), 9)
        return call(*a, **k)
    setattr(os, name, counted)

for name in ("mkdir", "rename", "open", "fsync", "unlink", "rmdir"):
    killed_in(name)
final = folder / "00000.jsonl"
finish_commit(final)
if not final.exists():
    write_synced(folder / f"00000.{text}.tmp", text.encode())
    print(commit_once(folder / f"00000.{text}.tmp", final))
"""


@pytest.fixture
def poor(tmp_path: Path) -> dict[str, str]:
    """The environment of processes on a file system without hard links and locks."""
    (tmp_path / "poor").mkdir()
    (tmp_path / "poor" / "sitecustomize.py").write_text(POOR)
    return dict(os.environ, PYTHONPATH=str(tmp_path / "poor"))


def _turnwise(*arguments: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "turnwise", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder, check=False)


def test_a_run_and_a_submission_commit_all_their_shards(poor: dict[str, str], tmp_path: Path, cache_dir: Path) -> None:
    """Alike, and one whose file was removed again."""
    environment = {**poor, "TURNWISE_CACHE": str(cache_dir)}
    line = ["-M", "replay", "-a", f"path={ANSWERS}", "-t", "sample_taco_multiturn"]
    for name, command in (("b", "run"), ("c", "submit")):
        more = ["--cluster", "debug"] if command == "submit" else []
        done = _turnwise(command, *line, *more, "-o", name, environment=environment, folder=tmp_path)
        assert done.returncode == 0, done.stderr
    found = [
        b"".join(path.read_bytes() for path in sorted((tmp_path / name).glob("trajectories/*/*.jsonl")))
        for name in "bc"
    ]
    assert found[0] and found[0] == found[1]
    folder = RunFolder(tmp_path / "b")
    assert folder.is_sampled() and all(
        (folder.shard_file(one).with_suffix(".sha256")).exists() for one in folder.shards
    )
    # A shard that its owner removes, as its message says, is sampled and committed anew.
    shard = folder.shard_file(folder.shards[0])
    text = shard.read_bytes()
    shard.unlink()
    shard.with_suffix(".sha256").unlink()
    assert _turnwise("run", *line, "-o", "b", environment=environment, folder=tmp_path).returncode == 0
    assert shard.read_bytes() == text


def _commit(poor: dict[str, str], folder: Path, text: str, kill_at: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", COMMIT, str(folder), text, str(kill_at)]
    return subprocess.Popen(command, env=poor, stdout=subprocess.PIPE)


def _commit_beside_kills(poor: dict[str, str], tmp_path: Path, kills: list[int]) -> None:
    for number, kill_at in enumerate(kills):
        folder = tmp_path / f"f{number}"
        folder.mkdir()
        first, second = _commit(poor, folder, "first", kill_at), _commit(poor, folder, "second", 0)
        outputs = [one.communicate()[0] for one in (first, second)]
        assert second.returncode == 0
        seen = (folder / "00000.jsonl").read_bytes()
        last = _commit(poor, folder, "third", 0)
        assert last.communicate()[0] == b"" and (folder / "00000.jsonl").read_bytes() == seen  # nobody replaces it
        if b"True\n" in outputs:
            assert seen == (b"first", b"second")[outputs.index(b"True\n")]
        assert outputs.count(b"True\n") <= 1


def test_of_two_commits_one_wins_wherever_the_other_is_killed(poor: dict[str, str], tmp_path: Path) -> None:
    """Without hard links: at a few of the calls; what is there once is not replaced."""
    _commit_beside_kills(poor, tmp_path, [0, 6, 9])


@pytest.mark.long
def test_commits_are_safe_at_every_call(poor: dict[str, str], tmp_path: Path) -> None:
    """The same at each call in which a process can be killed, three times."""
    _commit_beside_kills(poor, tmp_path, 3 * list(range(16)))


HOLD = """
import sys, time
from pathlib import Path
from turnwise.locks import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.readline()
lock.release()
"""


def _hold(poor: dict[str, str], path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLD, str(path)]
    process = subprocess.Popen(
        command, env=poor, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process


@pytest.mark.parametrize("end", ["released", "killed"])
def test_one_process_has_a_lock_that_the_file_system_does_not_know(
    end: str, poor: dict[str, str], tmp_path: Path
) -> None:
    """Until it gives it back, or is killed, which is seen at once."""
    path = tmp_path / "lock"
    first = _hold(poor, path)
    assert first.stdout is not None and first.stdout.readline() == "held\n"
    second = _hold(poor, path)
    _, said = second.communicate()
    assert second.returncode == 1 and "BlockingIOError" in said
    if end == "killed":
        first.send_signal(signal.SIGKILL)
    first.communicate("\n" if end == "released" else None)
    third = _hold(poor, path)
    assert third.communicate("\n")[0] == "held\n" and third.returncode == 0


def test_an_owner_elsewhere_is_lost_once_it_does_not_touch_its_file(poor: dict[str, str], tmp_path: Path) -> None:
    """Of another machine only the age of the file is known."""
    owner = tmp_path / ".lock.lock.1"
    owner.write_text(json.dumps({"place": "another machine", "pid": "1", "started": "1"}))
    process = _hold(poor, tmp_path / "lock")
    assert process.communicate()[0] == "" and process.returncode == 1
    long_ago = time.time() - 3600
    os.utime(owner, (long_ago, long_ago))
    process = _hold(poor, tmp_path / "lock")
    assert process.communicate("\n")[0] == "held\n"


@pytest.mark.long
def test_of_many_processes_at_once_one_has_the_lock(poor: dict[str, str], tmp_path: Path) -> None:
    """After an owner that was killed, twenty times."""
    for number in range(20):
        path = tmp_path / f"lock{number}"
        killed = _hold(poor, path)
        assert killed.stdout is not None and killed.stdout.readline() == "held\n"
        killed.kill()
        killed.communicate()
        time.sleep(random.Random(number).uniform(0, 0.05))
        others = [_hold(poor, path) for _ in range(4)]
        lines = [one.stdout.readline() for one in others if one.stdout is not None]
        assert lines.count("held\n") == 1
        for one in others:
            one.communicate("\n")


def test_a_file_system_that_cannot_hold_a_run_is_named_before_the_work(tmp_path: Path) -> None:
    """What lets two processes replace each other's files is refused; exit status 3, and nothing is left there."""
    (tmp_path / "worse").mkdir()
    worse = POOR + "\nos.rename = os.replace = _no_link\n"
    (tmp_path / "worse" / "sitecustomize.py").write_text(worse)
    (tmp_path / "place").mkdir()
    line = ["run", "-M", "replay", "-a", f"path={ANSWERS}", "-t", "sample_taco_multiturn", "-o", "place/run"]
    environment = dict(os.environ, PYTHONPATH=str(tmp_path / "worse"))
    done = _turnwise(*line, environment=environment, folder=tmp_path)
    assert done.returncode == 3 and "cannot hold a run (Operation not permitted)" in done.stderr, done.stderr
    assert list((tmp_path / "place").iterdir()) == []
