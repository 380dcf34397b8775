"""``turnwise doctor`` says in which tier programs are judged, that nothing escapes, and what is too little."""

import json
import resource
import subprocess
import sys
from dataclasses import replace

import pytest

from turnwise.commands.doctor import render_diagnosis
from turnwise.records.problem import Limits
from turnwise.runners.diagnosis import Diagnosis
from turnwise.runners.execution.canaries import CanaryResult
from turnwise.runners.execution.host import Host, InheritedLimits

HOST = Host(cores=4, memory_bytes=8 << 30, stack_bytes=None, processes=None, descriptors=None, slurm_job="17")


def _doctor(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "turnwise", "doctor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("tier", ["A", "B", "C"])
def test_this_machine_is_well_in_every_tier(tier: str) -> None:
    """Canaries in each layer hold, the reference solutions pass, the speed is measured."""
    done = _doctor("--tier", tier, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["well"], found["tier"]) == (True, tier)
    layers = {"files", "network", "processes", "environment", "limits", "privileges", "system calls"}
    assert {one["layer"] for one in found["canaries"]} == layers
    assert len(found["references"]) == 8 and all(found["references"].values())
    assert 0.01 < found["loop_cpu_seconds"] < 5


def test_an_unknown_tier_is_named() -> None:
    """Exit status 2, one sentence."""
    done = _doctor("--tier", "Z")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Unknown isolation tier 'Z'" in done.stderr
    done = _doctor("--workers", "-1")
    assert done.returncode == 2 and "--workers is -1: give a whole number" in done.stderr


def test_an_escape_is_shown_and_condemns_the_machine() -> None:
    """Whatever else is well, programs are not to be judged there."""
    canaries = (
        CanaryResult("files", held=True, what="write: refused"),
        CanaryResult("files", held=False, what="read: x"),
    )
    found = Diagnosis("B", {"A": "no namespaces"}, "CPython", canaries, 0.1, {"b/p": True}, HOST, ("Give it more.",))
    text = render_diagnosis(found)
    assert not found.is_well
    assert "files: 1 of 2 attempts to escape refused\n    ESCAPED: read: x" in text
    assert "tier A is not to be had: no namespaces" in text and "SLURM job 17, 4 usable cores" in text
    assert text.splitlines()[-2:] == ["  Give it more.", "Do not judge programs here."]


def test_a_limit_that_is_too_low_condemns_the_machine() -> None:
    """Where it could be behind any failure; one that leaves a trace is said."""
    short = InheritedLimits({resource.RLIMIT_AS: 600 << 20, resource.RLIMIT_STACK: 8 << 20}).shortfalls(Limits())
    well = Diagnosis("A", {}, "CPython", (), 0.1, {"b/p": True}, HOST, ())
    assert well.is_well and replace(well, shortfalls=short[1:]).is_well and not replace(well, shortfalls=short).is_well
    text = render_diagnosis(replace(well, shortfalls=short))
    assert "The hard limit of address space is 600 MiB" in text and "The hard limit of the stack is 8 MiB" in text
    assert text.splitlines()[-1] == "Do not judge programs here."
