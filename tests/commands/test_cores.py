"""Which cores judging takes, and that its workers are there before an engine of this process is."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from processes import descendants

from turnwise.commands.machine import open_machine
from turnwise.commands.options import RunOptions
from turnwise.commands.run import open_job
from turnwise.records.choices import BackEndName
from turnwise.runners.models.catalog import MODELS, BackEnd
from turnwise.runners.models.sampler import ScriptedSampler


@pytest.fixture
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job of eight cores, whatever this machine has."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


def _workers(back_end: BackEnd | None, *, given: int = 0) -> int:
    with open_machine({}, lambda *_: None, workers=given, back_end=back_end) as machine:
        return machine.workers


@pytest.mark.usefixtures("eight_cores")
@pytest.mark.parametrize(("name", "workers"), [("openai", 7), ("vllm", 6), ("hf", 7), ("replay", 8)])
def test_judging_leaves_a_back_end_its_cores(name: str, workers: int) -> None:
    """Of the cores this process may use, not of those the machine has."""
    assert _workers(replace(MODELS[name], in_process=False)) == workers  # which would start them all here


@pytest.mark.usefixtures("eight_cores")
def test_what_the_user_says_of_workers_goes_before() -> None:
    """More than a back end leaves, or fewer."""
    assert _workers(MODELS["openai"], given=8) == 8


def test_there_is_always_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on one core beside an engine that wants two."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert _workers(MODELS["vllm"]) == 1


def test_workers_start_before_an_engine_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All three: forked from it they would hold its memory and its threads' locks. Elsewhere one is enough to begin."""
    before, seen = descendants(os.getpid()), {}

    for in_process in (False, True):

        def load(*_: object, in_process: bool = in_process) -> ScriptedSampler:
            seen[in_process] = len(descendants(os.getpid()) - before)
            return ScriptedSampler({})

        back_end = BackEnd(load, MODELS["replay"].count, in_process=in_process)
        monkeypatch.setitem(MODELS, "hf", back_end)
        options = RunOptions(
            BackEndName.HF, tasks="sample_mbpp_plus_multiturn", output_path=tmp_path / "run", workers=3
        )
        with open_job(options, environ={"TURNWISE_CACHE": str(tmp_path)}, command=""):
            pass
    assert seen[True] >= 3 * seen[False] > 0
