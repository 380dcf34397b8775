"""What a job is given is read from the files that say so, and what is too little is said with the remedy."""

import platform
from dataclasses import replace
from pathlib import Path

import pytest

from turnwise.runners.execution.host import Host, inspect_host, read_cpu_model

ENOUGH = Host(cores=8, memory_bytes=64 << 30, stack_bytes=None, processes=None, descriptors=None, slurm_job="")


def _root(tmp_path: Path, groups: str, limits: dict[str, str]) -> Path:
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "meminfo").write_text("MemTotal:       33554432 kB\nMemFree: 1 kB\n")
    (tmp_path / "proc" / "self" / "cgroup").write_text(groups)
    for name, text in limits.items():
        path = tmp_path / "sys" / "fs" / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("groups", "limits", "gibibytes"),
    [
        ("0::/job/step\n", {"job/memory.max": f"{8 << 30}\n", "job/step/memory.max": "max\n"}, 8),
        ("4:cpu,memory:/slurm/job\n", {"memory/slurm/job/memory.limit_in_bytes": f"{4 << 30}\n"}, 4),
        ("4:memory:/gone\n0::/\n", {"memory/memory.limit_in_bytes": "9223372036854771712\n"}, 32),
        ("1:name=systemd:/x\n", {}, 32),
    ],
)
def test_the_smallest_limit_of_the_job_counts(
    groups: str, limits: dict[str, str], gibibytes: int, tmp_path: Path
) -> None:
    """Of both versions of control groups, of any group above, or the machine's memory."""
    assert inspect_host({}, root=_root(tmp_path, groups, limits)).memory_bytes == gibibytes << 30


def test_a_slurm_job_is_known_by_its_id() -> None:
    """From the environment SLURM sets."""
    assert inspect_host({"SLURM_JOB_ID": "17"}).slurm_job == "17"
    assert inspect_host({}).cores >= 1


def test_a_machine_with_enough_gets_no_advice() -> None:
    """Unlimited or large limits are silent."""
    assert list(ENOUGH.advice(workers=8, memory_limit_bytes=4 << 30)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cores": 2}, "8 workers share 2 usable cores: give --workers 2"),
        ({"memory_bytes": 9 << 30}, "8 programs of up to 4.0 GiB do not fit into this job's 9.0 GiB: give --workers 2"),
        ({"memory_bytes": 1 << 30}, "give --workers 1, or the job more memory"),
    ],
)
def test_too_little_is_said_with_the_remedy(changes: dict[str, int], words: str) -> None:
    """One sentence each."""
    (said,) = replace(ENOUGH, **changes).advice(workers=8, memory_limit_bytes=4 << 30)
    assert words in said


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor : 0\nmodel name\t: A  CPU @ 2 GHz\n\nmodel name\t: B\n", "A CPU @ 2 GHz"),
        ("CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n", f"{platform.machine()} implementer 0x41 part 0xd0c"),
        ("", platform.machine()),
    ],
)
def test_a_cpu_is_known_by_its_model(text: str, name: str, tmp_path: Path) -> None:
    """Or by the numbers that an ARM core has instead."""
    (tmp_path / "cpuinfo").write_text(text)
    assert read_cpu_model(tmp_path / "cpuinfo") == name
    assert read_cpu_model(tmp_path / "none") == platform.machine()
