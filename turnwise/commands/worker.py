"""``turnwise worker``: what the jobs of a submission start, not for hands; and the options that they are given.

A submission keeps the options of ``turnwise submit``, and copies of the files and folders that they name (inputs.py).
"""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from turnwise.commands.inputs import with_inputs
from turnwise.commands.machine import open_machine, show_progress
from turnwise.commands.options import SubmitOptions
from turnwise.commands.run import open_job
from turnwise.commands.settings import config_of_options, tasks_of_options
from turnwise.commands.training_worker import train_on
from turnwise.errors import TurnwiseError
from turnwise.records.codec import from_json, reason_of
from turnwise.records.run_folder import RunFolder
from turnwise.runners.judging_step import load_run, settings_of
from turnwise.runners.models.back_end import Wanted
from turnwise.runners.models.catalog import find_back_end
from turnwise.runners.models.openai.back_end import served_name
from turnwise.slurm.claims import Owner
from turnwise.slurm.freeze import are_sources_whole, is_running_code, is_whole_input
from turnwise.slurm.signals import Stop
from turnwise.slurm.submission import SAMPLE, TRAIN, ClusterFolder, Submission, worker_name
from turnwise.slurm.supervisor import STOPPED, JobFacts
from turnwise.slurm.worker import judge_shards, sample_shards, serve


def read_options(submission: Submission) -> SubmitOptions:
    """Return the options that a submission keeps; raises TurnwiseError for anything else."""
    try:
        return from_json(SubmitOptions, submission.record.options)
    except ValueError as error:
        raise TurnwiseError(
            f"The options in its submission.json cannot be read ({reason_of(error)}): submit the run again."
        ) from None


def work_on(run: Path, number: int, step: str, slot: int, *, stop: Stop, environ: dict[str, str]) -> int:
    """Take shards of one step of a submission until none is left, or train; return the exit status.

    Raises TurnwiseError if this node cannot do it: its sandbox, its data or its model are not as frozen.
    """
    submission = Submission(ClusterFolder(run), number)
    check_copies(submission)
    if step == TRAIN:
        return train_on(submission, stop=stop, environ=environ)
    facts = JobFacts.of(environ)
    owner = Owner(worker_name(number, step, slot), facts.job, facts.node or platform.node())
    options = _for_this_job(with_inputs(read_options(submission), submission.inputs()), environ)
    if step == SAMPLE:
        command = RunFolder(run).record.command
        with (
            _server_of_job(options, submission.record.profile.server) as base_url,
            open_job(options, environ=environ, command=command, base_url=base_url) as (job, machine),
        ):
            sample_shards(job, replace(machine, worker=owner.worker), submission, owner, slot=slot, stop=stop)
    else:
        folder = RunFolder(run)
        tasks = tasks_of_options(options)
        judge = config_of_options(options, tasks).judge
        benchmarks = {task.benchmark.name: task.benchmark for task in tasks}
        with (
            show_progress() as on_progress,
            open_machine(
                environ,
                on_progress,
                data_dir=options.data_dir,
                interpreter=options.interpreter or judge.interpreter,
                workers=options.workers,
            ) as machine,
        ):
            named = replace(machine, worker=owner.worker)
            frozen = settings_of(folder.record.judge, answers=judge.answers)
            loaded = load_run(folder, named, benchmarks, frozen)
            judge_shards(loaded, frozen, named, submission, owner, slot=slot, stop=stop)
    return STOPPED if stop.reason else os.EX_OK


def check_copies(submission: Submission) -> None:
    """Raise TurnwiseError if the code that runs here, or what the options name, was damaged since it was frozen."""
    copies = [path for path in submission.inputs().values() if not is_whole_input(path)]
    if is_running_code(submission.code()) and not are_sources_whole(submission.code()):
        copies.append(submission.code())
    if copies:
        raise TurnwiseError(
            f"The frozen copy {str(copies[0])!r} is damaged: turnwise resume {submission.cluster.run} makes it anew."
        )


def _for_this_job(options: SubmitOptions, environ: dict[str, str]) -> SubmitOptions:
    """Return the options with as many programs at a time as the job has cores, where nothing else was said."""
    cores = environ.get("SLURM_CPUS_PER_TASK", "")
    if options.workers or not cores.isdigit():
        return options
    return replace(options, workers=max(1, int(cores) - find_back_end(options.model).cores))


@contextmanager
def _server_of_job(options: SubmitOptions, command: str) -> Iterator[str]:
    """Yield the address of a server of this job's own, "" if the profile has no command for one."""
    if not command:
        yield ""
        return
    with serve(command, model=served_name(Wanted(options.model_args))) as base_url:
        yield base_url
