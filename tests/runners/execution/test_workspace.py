"""A worker's folder outlives nobody: whoever makes the next one removes those of the dead."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from turnwise.runners.execution.workspace import WorkFolder, Workspace

OLD = 1_000_000_000.0


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_folders_of_the_dead_are_removed(tmp_path: Path) -> None:
    """One that nobody locks any more goes, with all that is in it."""
    dead = tmp_path / "turnwise-work-dead"
    (dead / "deep").mkdir(parents=True)
    (dead / "deep" / "file").write_text("x")
    os.utime(dead, (OLD, OLD))
    folder = WorkFolder(private=True)
    assert list(tmp_path.iterdir()) == [Path(folder.path)]
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_folders_of_the_living_and_the_new_born_stay(tmp_path: Path) -> None:
    """A locked one belongs to somebody; a young one may be about to be locked."""
    living = WorkFolder(private=True)
    os.utime(living.path, (OLD, OLD))
    young = tmp_path / "turnwise-work-young"
    young.mkdir()
    other = WorkFolder(private=True)
    assert set(tmp_path.iterdir()) == {Path(living.path), young, Path(other.path)}
    living.remove()
    other.remove()


def test_what_is_called_alike_but_is_no_folder_stays(tmp_path: Path) -> None:
    """A link that somebody planted in the temporary folder is not followed."""
    target = tmp_path / "target"
    target.mkdir()
    link = tmp_path / "turnwise-work-link"
    link.symlink_to(target)
    os.utime(link, (OLD, OLD), follow_symlinks=False)
    WorkFolder(private=True).remove()
    assert link.is_symlink() and target.is_dir()


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder", "nothing"])
def test_an_output_that_is_no_file_is_none(tmp_path: Path, kind: str) -> None:
    """A link is not followed to a file of the judge's, and a pipe that nobody writes to does not make it wait."""
    secret, output = tmp_path / "secret", tmp_path / "box" / "out"
    secret.write_text("secret")
    output.parent.mkdir()
    make: dict[str, Callable[[], object]] = {
        "link": lambda: output.symlink_to(secret),
        "dangling link": lambda: output.symlink_to("nowhere"),
        "pipe": lambda: os.mkfifo(output),
        "folder": output.mkdir,
        "nothing": lambda: None,
    }
    make[kind]()
    workspace = Workspace(os.open(output.parent, os.O_RDONLY | os.O_DIRECTORY))
    assert workspace.read("out", 100) is None
    workspace.renew({"in": b"given"})
    assert [path.name for path in output.parent.iterdir()] == ["in"] and secret.read_text() == "secret"
    assert workspace.read("in", 3) == b"giv"
    workspace.close()
