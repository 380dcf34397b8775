"""Making data survives kill -9: the same line goes on, and what comes of it is the same, byte for byte."""

import os
import signal
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from turnwise.commands import rft_data as command
from turnwise.training.data.blocks import DataJob

Command = Callable[..., tuple[int, str]]


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def killed_at(number: int, make: Callable[[], object]) -> bool:
    """Carry out ``make`` in a child that is killed before it gives or takes away its ``number``-th name of a file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which the child has no need of
        child = os.fork()
    if not child:
        done = 0

        def counted(plain: Callable[..., object], *given: object, **more: object) -> object:
            nonlocal done
            done += 1
            if done == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return plain(*given, **more)

        for name in ("replace", "unlink"):
            plain = getattr(Path, name)
            setattr(Path, name, lambda *given, plain=plain, **more: counted(plain, *given, **more))
        try:
            make()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_the_same_line_goes_on_after_kill_9_anywhere(
    write_run: Callable[..., Path], rft_data: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed again and again before a commit, it goes on where it was, and ends with the bytes of a whole run."""
    monkeypatch.setattr(command, "DataJob", partial(DataJob, block=10))
    run = write_run()
    make = partial(rft_data, run, "-o", "data", "--turns", "all")
    assert make()[0] == 0
    whole = files_of(tmp_path / "data")
    (tmp_path / "data").rename(tmp_path / "whole")
    deaths = 0
    while killed_at(1 + 2 * deaths, make):  # each life gets further
        deaths += 1
        if not (tmp_path / "data" / "report.json").exists():
            assert (tmp_path / "data" / "parts").is_dir()
    assert deaths >= 6
    status, said = make()
    assert (status, "done already" in said) == (0, True)
    assert files_of(tmp_path / "data") == whole


def test_what_was_begun_otherwise_is_refused(
    write_run: Callable[..., Path], rft_data: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that was begun with another setting or other runs is not gone on with; what is done stays."""
    monkeypatch.setattr(command, "DataJob", partial(DataJob, block=10))
    run, other = write_run(), write_run("other", samples=2)
    assert killed_at(6, partial(rft_data, run, "-o", "data"))
    before = files_of(tmp_path / "data" / "parts")
    assert "00000.json" in before
    status, said = rft_data(run, "-o", "data", "--turns", "single")
    assert (status, "other training data (turns: 'multi', not 'single')" in said) == (2, True)
    status, said = rft_data(run, other, "-o", "data")
    assert (status, "(runs: ['run'], not ['run', 'other'])" in said) == (2, True)
    assert files_of(tmp_path / "data" / "parts") == before
    part = tmp_path / "data" / "parts" / "00000.jsonl"
    part.write_bytes(part.read_bytes() + b"\n")
    status, said = rft_data(run, "-o", "data")
    assert (status, "has been changed since it was written" in said) == (2, True)
    assert not (tmp_path / "data" / "train.jsonl").exists()
