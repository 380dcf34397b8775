"""The batch scripts of a submission, as submitit makes them; the same text for a dry run and for sbatch."""

import shlex
import sys
from pathlib import Path
from typing import Any

from turnwise.slurm.layout import JUDGE, SAMPLE
from turnwise.slurm.profile import ClusterProfile, CpuJobs

OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}


def parameters(profile: ClusterProfile, step: str, *, name: str, dependency: str = "") -> dict[str, Any]:
    """Return what submitit is told of the jobs of one step."""
    if step == SAMPLE:
        given = _of_sampling(profile)
    else:
        given = _of_cpu_jobs(profile, profile.judge if step == JUDGE else profile.close)
    extra = {"requeue": True, "kill-on-invalid-dep": "yes", **given.pop("extra")}
    if step == SAMPLE:
        extra["hold"] = True  # until judging and closing are accepted, too (cluster.py)
    return {
        "job_name": f"turnwise-{step}-{name}",
        **{key: value for key, value in given.items() if value not in ("", None)},
        "account": profile.account or None,
        "signal_delay_s": profile.warn_seconds,
        "dependency": dependency or None,
        "stderr_to_stdout": True,
        # Since SLURM 22.05 srun takes one core unless it is told again.
        "srun_args": ["--kill-on-bad-exit=1", f"--cpus-per-task={given['cpus_per_task']}"],
        "additional_parameters": extra,
    }


def _of_sampling(profile: ClusterProfile) -> dict[str, Any]:
    gres = f"gpu:{profile.gpu_type}:{profile.gpus}" if profile.gpu_type else f"gpu:{profile.gpus}"
    return {
        "partition": profile.partition,
        "qos": profile.qos,
        "gres": gres if profile.gpus else "",
        "cpus_per_task": profile.cpus,
        "mem": _memory(profile.memory_gb),
        "time": profile.time_minutes,
        "array_parallelism": profile.parallel or profile.workers,
        "extra": dict(profile.extra),
    }


def _of_cpu_jobs(profile: ClusterProfile, jobs: CpuJobs) -> dict[str, Any]:
    return {
        "partition": jobs.partition or profile.partition,
        "qos": jobs.qos or profile.qos,
        "cpus_per_task": jobs.cpus,
        "mem": _memory(jobs.memory_gb),
        "time": jobs.time_minutes,
        "array_parallelism": profile.parallel or profile.workers,
        "extra": dict(jobs.extra),
    }


def _memory(gigabytes: float) -> str:
    return f"{round(gigabytes * 1024)}M"


def setup_lines(profile: ClusterProfile, code: Path) -> list[str]:
    """Return the lines of a script before its command: the profile's, its environment, the frozen code."""
    environment = {**(OFFLINE if profile.offline else {}), **profile.environment}
    lines = [*profile.setup, *(f"export {name}={shlex.quote(str(value))}" for name, value in environment.items())]
    return [*lines, f"export PYTHONPATH={shlex.quote(str(code))}${{PYTHONPATH:+:$PYTHONPATH}}"]


def python_of(profile: ClusterProfile) -> str:
    """Return the command of the jobs' Python, in the container if there is one."""
    python = shlex.quote(profile.python or sys.executable)
    return f"{profile.container} {python}" if profile.container else python


def script_text(
    profile: ClusterProfile, step: str, folder: Path, code: Path, *, name: str, count: int | None, dependency: str = ""
) -> str:
    """Return the script of ``count`` array elements, or of one job, with submitit's files in ``folder``."""
    from submitit.slurm.slurm import _make_sbatch_string

    given = {**parameters(profile, step, name=name, dependency=dependency), "setup": setup_lines(profile, code)}
    command = f"{python_of(profile)} -u -m submitit.core._submit {shlex.quote(str(folder))}"
    return _make_sbatch_string(command=command, folder=folder, map_count=count, **given)
