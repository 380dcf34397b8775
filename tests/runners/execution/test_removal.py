"""Whatever a program left in a folder is removed: deep, wide, closed by its modes, linked; and nothing outside is."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from turnwise.runners.execution.workspace import WorkFolder, Workspace, empty_folder, remove_folder

_LEVELS = 1100  # more than the interpreter lets anything recurse
_NOBODY = 65534


def _deep(folder: int) -> None:
    current = os.dup(folder)
    for _ in range(_LEVELS):
        os.mkdir("d", dir_fd=current)
        below = os.open("d", os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = below
    os.close(current)


def _wide(folder: int) -> None:
    for number in range(50):  # more than are remembered at once
        os.mkdir(f"{number}", dir_fd=folder)
        os.close(os.open(f"file{number}", os.O_CREAT, dir_fd=folder))


def _closed(folder: int) -> None:
    os.mkdir("a", dir_fd=folder)
    for name, mode in (("a/b", 0o700), ("a/b/c", 0), ("a/d", 0o111), ("a/e", 0o444), ("a/b/f", 0o222)):
        os.mkdir(name, 0o700, dir_fd=folder)
        os.close(os.open(f"{name}/file", os.O_CREAT, 0, dir_fd=folder))
        os.chmod(name, mode, dir_fd=folder)
    os.chmod("a/b", 0, dir_fd=folder)
    os.chmod("a", 0, dir_fd=folder)
    os.fchmod(folder, 0)


def _odd_names(folder: int) -> None:
    for name in (b"\xff", b"-rf", b"a\nb", b" ", b"x" * 255, "é".encode()):
        os.mkdir(name, dir_fd=folder)
        os.mkfifo(name + b"1" if len(name) < 255 else b"y" * 255, dir_fd=folder)


def _linked(folder: int) -> None:
    os.symlink("../outside", "up", dir_fd=folder)
    os.symlink(".", "self", dir_fd=folder)
    os.mkdir("a", dir_fd=folder)
    os.symlink("../../outside", "a/up", dir_fd=folder)
    os.symlink("nowhere", "a/dangling", dir_fd=folder)


_LEFT = (_deep, _wide, _closed, _odd_names, _linked)


def _as_ordinary_user(work: Callable[[], None], folder: Path) -> None:
    """Do ``work`` in a process of a user whose modes count; the tests may run as root, for whom none does."""
    for place in (folder, *folder.rglob("*")):
        os.chown(place, _NOBODY, _NOBODY) if os.geteuid() == 0 else None
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(_NOBODY, _NOBODY, _NOBODY)
                os.setresuid(_NOBODY, _NOBODY, _NOBODY)
            work()
            status = 0
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
        os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnwise.runners.execution.workspace._FOLDERS_AT_ONCE", 16)


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that every user reaches by its descriptor, with a file beside it that must stay."""
    place = tmp_path_factory.mktemp("place")
    (place / "box").mkdir()
    (place / "outside").mkdir()
    (place / "outside" / "kept").write_text("kept")
    return place


@pytest.mark.parametrize("leave", _LEFT)
def test_a_run_leaves_nothing_to_the_next(place: Path, leave: Callable[[int], None]) -> None:
    """Nor a mode of the folder itself, nor a link's way out; by an ordinary user, whose own modes would stop him."""
    descriptor = os.open(place / "box", os.O_RDONLY | os.O_DIRECTORY)
    os.fchmod(descriptor, 0o777)
    workspace = Workspace(descriptor)

    def run_twice() -> None:
        for _ in range(2):
            leave(descriptor)
            workspace.renew({"in": b"given"})
            assert [entry.name for entry in os.scandir(descriptor)] == ["in"]
            assert workspace.read("in", 100) == b"given"

    _as_ordinary_user(run_twice, place)
    assert (place / "outside" / "kept").read_text() == "kept"
    workspace.close()


@pytest.mark.parametrize("leave", _LEFT)
def test_a_folder_of_the_dead_breaks_no_later_executor(
    place: Path, monkeypatch: pytest.MonkeyPatch, leave: Callable[[int], None]
) -> None:
    """What a killed judge's worker left is removed by the next one that makes a folder, or stays, unharmful."""
    monkeypatch.setattr("tempfile.tempdir", str(place))
    left = place / "turnwise-work-left"
    left.mkdir()
    descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
    leave(descriptor)
    os.close(descriptor)
    os.utime(left, (0, 0))
    folder = WorkFolder(private=True)
    assert not left.exists()
    folder.remove()
    assert sorted(path.name for path in place.iterdir()) == ["box", "outside"]
    assert (place / "outside" / "kept").exists()


def test_what_cannot_be_removed_is_left_and_no_error(place: Path) -> None:
    remove_folder(str(place / "missing"))
    remove_folder(str(place / "outside" / "kept"))
    (place / "link").symlink_to(place / "outside")
    remove_folder(str(place / "link"))
    assert (place / "outside" / "kept").exists()


def test_no_descriptor_stays_open(place: Path) -> None:
    descriptor = os.open(place / "box", os.O_RDONLY | os.O_DIRECTORY)
    before = len(list(Path("/proc/self/fd").iterdir()))
    _linked(descriptor)
    _wide(descriptor)
    empty_folder(descriptor)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    os.close(descriptor)
