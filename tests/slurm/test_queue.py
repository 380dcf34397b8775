"""What SLURM's commands say, read as it is written; with commands of our own in their place."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from turnwise.slurm.profile import ClusterProfile, CpuJobs
from turnwise.slurm.queue import QueuedJob, ask_limits, job_state, jobs_of, known_jobs, partition_minutes

Say = Callable[..., None]
CONFIG = "Configuration data as of 2026-01-01\nMaxArraySize            = 501\nMaxJobCount = 10000\n"


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """say(command, {words of its call: what it prints}): whatever else it is asked, it fails."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def set_up(command: str, answers: dict[str, str]) -> None:
        cases = "".join(
            f"*'{words}'*) cat <<'END'\n{text}{'' if not text or text.endswith(chr(10)) else chr(10)}END\n;;\n"
            for words, text in answers.items()
        )
        (tmp_path / command).write_text(f'#!/bin/sh\ncase "$*" in\n{cases}*) exit 1;;\nesac\n')
        (tmp_path / command).chmod(0o755)

    return set_up


def test_jobs_that_are_still_there_are_those_asked_about(say: Say) -> None:
    """Elements of arrays and whole pending ones; what has ended is said to have, jobs of other runs are left out."""
    lines = (
        "7|0|RUNNING|None|node1|s.sh\n7|[1-3]|PENDING|BeginTime||\n7|4|COMPLETED|None||(null)\n9|N/A|RUNNING|None|n|"
    )
    say("squeue", {"--all": lines})
    found = known_jobs(["7", "8"], [], os.getuid())
    assert found is not None and [job for job in found if not job.has_ended] == [
        QueuedJob("7", "0", "RUNNING", "None", "node1"),
        QueuedJob("7", "[1-3]", "PENDING", "BeginTime", ""),
    ]
    assert found[2:] == [QueuedJob("7", "4", "COMPLETED", "None", "")]
    assert known_jobs([], [], os.getuid()) == []
    say("squeue", {})
    assert known_jobs(["7"], [], os.getuid()) is None and known_jobs([], [Path("/jobs")], os.getuid()) is None


def test_jobs_are_known_by_where_their_scripts_lay(say: Say, tmp_path: Path) -> None:
    """Those that SLURM accepted before anybody could write down their number, by whatever way the folder is named."""
    scripts = tmp_path / "a|b" / "cluster" / "submissions" / "0001" / "jobs" / "sample"
    scripts.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a|b")
    here, linked = f"{scripts}/submission_file_1.sh", f"{tmp_path}/link/cluster/submissions/0001/jobs/sample/2.sh"
    other = here.replace("0001", "0002")
    say("squeue", {"--all": "".join(f"{n}|N/A|PENDING|None||{one}\n" for n, one in enumerate((here, linked, other)))})
    for folder in (scripts, tmp_path / "link" / scripts.relative_to(tmp_path / "a|b")):
        assert [job.job for job in known_jobs([], [folder], os.getuid()) or ()] == ["0", "1"]


@pytest.mark.parametrize(
    ("private", "is_told"), [("none", True), ("accounts,users", True), ("accounts,jobs", False), ("", False)]
)
def test_jobs_that_are_shown_to_their_owner_alone_are_not_taken_for_none(
    say: Say, monkeypatch: pytest.MonkeyPatch, private: str, is_told: bool
) -> None:
    """Where PrivateData hides them, or scontrol does not say whether it does."""
    monkeypatch.setattr(os, "getuid", lambda: 1234)
    say("squeue", {"--all": ""})
    say("scontrol", {"show config": f"PrivateData             = {private}\n"} if private else {})
    assert known_jobs(["7"], [], 1) == ([] if is_told else None)


@pytest.mark.parametrize(
    ("said", "minutes"),
    [("1-02:30:00", 1590.0), ("00:30:00", 30.0), ("30:30", 30.5), ("UNLIMITED", float("inf")), ("", float("inf"))],
)
def test_time_limits_are_read_as_slurm_writes_them(say: Say, said: str, minutes: float) -> None:
    """[days-]hours:minutes:seconds, of the partition named or of the default one."""
    say(
        "scontrol",
        {"show partition": f"PartitionName=a Default=NO MaxTime=9\nPartitionName=b Default=YES MaxTime={said}"},
    )
    assert partition_minutes("") == (True, minutes)
    say("scontrol", {"show partition --oneliner b": f"PartitionName=b MaxTime={said} State=UP"})
    assert partition_minutes("b") == (True, minutes) and partition_minutes("none") == (False, 0.0)


def test_what_a_cluster_would_refuse_is_known_before(say: Say) -> None:
    """A partition that is not there, a time that it does not allow; its arrays, and the jobs of this user."""
    partitions = {"partition --oneliner gpu": "PartitionName=gpu MaxTime=02:00:00", "show config": CONFIG}
    say("scontrol", partitions)
    say("sacctmgr", {"format=MaxSubmitJobs": "\n400\n250\n"})
    profile = ClusterProfile(
        partition="gpu", time_minutes=180, judge=CpuJobs(partition="cpu"), close=CpuJobs(time_minutes=60)
    )
    found = ask_limits(profile)
    assert (found.answers, found.array_elements, found.submit_jobs) == (True, 501, 250)
    assert found.problems == (
        "the sample jobs ask for 180 minutes, but partition 'gpu' allows 120: set time_minutes to at most that",
        "there is no partition 'cpu' for the judge jobs: mend the profile (sinfo lists them)",
    )
    assert jobs_of(125) == 251


def test_without_slurm_no_limit_is_known(say: Say) -> None:
    """Its defaults are taken, and that it did not answer is told."""
    found = ask_limits(ClusterProfile())
    assert (found.answers, found.array_elements, found.submit_jobs, found.problems) == (False, 1001, None, ())
    say("scontrol", {"show config": CONFIG, "show partition": "PartitionName=a Default=YES MaxTime=UNLIMITED"})
    assert ask_limits(ClusterProfile()).submit_jobs is None  # no accounting


def test_the_state_of_a_job_that_slurm_forgot_is_unknown(say: Say) -> None:
    """Then it is no crash."""
    say("scontrol", {"show job --oneliner 7_1": "JobId=9 ArrayJobId=7 JobState=OUT_OF_MEMORY Reason=OutOfMemory"})
    assert job_state("7_1") == "OUT_OF_MEMORY" and job_state("8") == ""
