"""The batch scripts of a submission, as submitit makes them; the same text for a dry run and for sbatch."""

import shlex
import sys
from pathlib import Path
from typing import Any

from turnwise.slurm.layout import JUDGE, SAMPLE, ClusterFolder
from turnwise.slurm.profile import ClusterProfile, CpuJobs
from turnwise.slurm.supervisor import GIVEN_UP, WARNED

# What a worker's exit status asks for is decided by the batch script: only there are SLURM's commands at hand, since a
# worker may run in a container. TERM comes from scancel, and from a preemption that gives a grace time; what scontrol
# says tells them apart. "incomplete" refuses a job that scancel ended meanwhile; whether SLURM has requeued the job,
# of itself or as it was asked to, is told by its count of restarts alone. A job that ends before SLURM ends it to
# requeue it would count as failed. SLURM's TERM reaches whatever program runs here, so that none is relied on but for
# scontrol, which is asked again; it may end that before this shell hears of it, which then has the seconds of KillWait
# to find out, so that no pause is long. Nothing here relies on, or breaks under, set -eu of the profile's lines.
_BEFORE = """\
told_to_end=
trap 'told_to_end=yes' TERM"""
_AFTER = r"""status=$?
set +eu
pause() {{ for second in {{1..5}}; do [[ $told_to_end ]] || sleep 1; done; }}
if ((status != 0 && status != {given_up})); then
    job=${{SLURM_ARRAY_JOB_ID:+${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}}}
    job=${{job:-$SLURM_JOB_ID}} restarts=${{SLURM_RESTART_COUNT:-0}} became=unanswered
    for try in 1 2 3 4 5; do
        facts=$(scontrol show job --oneliner "$job") || {{ pause; continue; }}
        [[ $facts =~ \ Restarts=([0-9]+) ]] && ((BASH_REMATCH[1] > restarts)) && {{ became=requeued; break; }}
        if [[ $facts =~ \ JobState=(RUNNING|SUSPENDED|STOPPED)\  ]]; then
            ((status == {warned})) || [[ $facts =~ \ PreemptTime=[0-9] ]] || {{ became=; break; }}
            became=refused
            scontrol requeue incomplete "$job" || pause
        else
            became=cancelled
            break
        fi
    done
    [[ $became ]] && echo "$restarts $became" >> {ends}/"$job"
    if [[ $became == requeued ]]; then
        for try in {{1..90}}; do [[ $told_to_end ]] || sleep 1; done
    fi
fi
exit $status"""

OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}


def parameters(
    profile: ClusterProfile, step: str, *, cluster: ClusterFolder, code: Path, dependency: str = ""
) -> dict[str, Any]:
    """Return what submitit is told of the jobs of one step."""
    if step == SAMPLE:
        given = _of_sampling(profile)
    else:
        given = _of_cpu_jobs(profile, profile.judge if step == JUDGE else profile.close)
    extra = {"requeue": True, "kill-on-invalid-dep": "yes", **given.pop("extra")}
    if step == SAMPLE:
        extra["hold"] = True  # until judging and closing are accepted, too (cluster.py)
    return {
        "job_name": f"turnwise-{step}-{cluster.run.name}",
        **{key: value for key, value in given.items() if value not in ("", None)},
        "account": profile.account or None,
        "signal_delay_s": profile.warn_seconds,
        "dependency": dependency or None,
        "stderr_to_stdout": True,
        # Since SLURM 22.05 srun takes one core unless it is told again.
        "srun_args": ["--kill-on-bad-exit=1", f"--cpus-per-task={given['cpus_per_task']}"],
        "additional_parameters": extra,
        "setup": _lines_before(profile, code),
        "teardown": _lines_after(cluster),
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


def _lines_before(profile: ClusterProfile, code: Path) -> list[str]:
    """Return the lines of a script before its command: the profile's, its environment, the frozen code."""
    environment = {**(OFFLINE if profile.offline else {}), **profile.environment}
    exports = [f"export {name}={shlex.quote(str(value))}" for name, value in environment.items()]
    path = f"export PYTHONPATH={shlex.quote(str(code))}${{PYTHONPATH:+:$PYTHONPATH}}"
    return [*_BEFORE.splitlines(), *profile.setup, *exports, path, "set +e"]


def _lines_after(cluster: ClusterFolder) -> list[str]:
    """Return the lines of a script after its command: whether the job comes back."""
    return _AFTER.format(given_up=GIVEN_UP, warned=WARNED, ends=shlex.quote(str(cluster.ends))).splitlines()


def python_of(profile: ClusterProfile) -> str:
    """Return the command of the jobs' Python, in the container if there is one; the user's folder has no modules."""
    python = f"{shlex.quote(profile.python or sys.executable)} -P"
    return f"{profile.container} {python}" if profile.container else python


def script_text(
    profile: ClusterProfile,
    step: str,
    folder: Path,
    *,
    cluster: ClusterFolder,
    code: Path,
    count: int | None,
    dependency: str = "",
) -> str:
    """Return the script of ``count`` array elements, or of one job, with submitit's files in ``folder``."""
    from submitit.slurm.slurm import _make_sbatch_string

    given = parameters(profile, step, cluster=cluster, code=code, dependency=dependency)
    command = f"{python_of(profile)} -u -m submitit.core._submit {shlex.quote(str(folder))}"
    return _make_sbatch_string(command=command, folder=folder, map_count=count, **given)
