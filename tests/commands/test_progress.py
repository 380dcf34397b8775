"""Progress in a log: what long work is at is said again and again, also while nothing ends."""

import time

import pytest

from turnwise.commands import machine
from turnwise.commands.machine import show_progress


def test_a_stage_that_does_not_move_is_said_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slow program holds up the count, and the log shows that the work lives; an ended stage is said once."""
    monkeypatch.setattr(machine, "HEARTBEAT_SECONDS", 0.01)
    said = ""
    with show_progress() as report:
        report("judging", 3, 9)
        while said.count("judging 3/9\n") < 3:
            time.sleep(0.01)
            said += capsys.readouterr().err
        report("judging", 9, 9)
        time.sleep(0.1)
    said += capsys.readouterr().err
    assert said.count("judging 9/9\n") == 1 and said.endswith("judging 9/9\n")


def test_a_quick_stage_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Its end."""
    with show_progress() as report:
        for done in range(1, 5):
            report("dialogues", done, 4)
    assert capsys.readouterr().err.split(" ", 1)[1] == "dialogues 4/4\n"
