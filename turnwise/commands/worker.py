"""``turnwise worker``: what the jobs of a submission start; not for hands."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from turnwise.commands.inputs import with_inputs
from turnwise.commands.machine import show_progress
from turnwise.commands.run import RunRequest, open_job
from turnwise.errors import TurnwiseError
from turnwise.records.codec import reason_of
from turnwise.records.run_folder import RunFolder
from turnwise.runners.judging_step import load_run
from turnwise.runners.models.back_end import Wanted
from turnwise.runners.models.catalog import find_back_end
from turnwise.runners.models.openai.back_end import served_name
from turnwise.slurm.freeze import are_sources_whole, is_running_code, is_whole_input
from turnwise.slurm.layout import SAMPLE, ClusterFolder, worker_name
from turnwise.slurm.leases import Owner
from turnwise.slurm.server import serve
from turnwise.slurm.submission import Submission
from turnwise.slurm.supervisor import STOPPED, JobFacts
from turnwise.slurm.worker import Stop, judge_shards, sample_shards


class _Given(BaseModel):
    """The settings that options of the command line set by name."""

    model_config = ConfigDict(strict=True, extra="forbid")
    seed: int | None = None
    matcher: str | None = None
    time_factor: float | None = None
    limit: float | None = None
    system_instruction: str | None = None
    on_error: Literal["raise", "skip"] | None = None
    strict_context: bool | None = None
    stub_imports: bool | None = None
    strategy: str | None = None
    reasoning: str | None = None
    instruction: str | None = None
    feedback: str | None = None


_REQUESTS, _GIVEN = TypeAdapter(RunRequest), TypeAdapter(_Given)


def freeze_request(request: RunRequest) -> dict[str, object]:
    """Return the options of a run as JSON, to be read on another node."""
    options: dict[str, object] = _REQUESTS.dump_python(request, mode="json")
    return options


def thaw_request(options: dict[str, object]) -> RunRequest:
    """Return the options that ``freeze_request`` wrote; raises TurnwiseError for anything else."""
    try:
        request = _REQUESTS.validate_python(options)
        _GIVEN.validate_python(dict(request.given))
    except ValidationError as error:
        raise TurnwiseError(
            f"The options in its submission.json cannot be read ({reason_of(error)}): submit the run again."
        ) from None
    return request


def work_on(run: Path, number: int, step: str, slot: int, *, stop: Stop, environ: dict[str, str]) -> int:
    """Take shards of one step of a submission until none is left; return the exit status.

    Raises TurnwiseError if this node cannot do it: its sandbox, its data or its model are not as frozen.
    """
    submission = Submission(ClusterFolder(run), number)
    check_copies(submission)
    facts = JobFacts.of(environ)
    owner = Owner(worker_name(number, step, slot), facts.job, facts.node or platform.node())
    request = _for_this_job(with_inputs(thaw_request(submission.record.options), submission.inputs()), environ)
    if step == SAMPLE:
        command = RunFolder(run).record.command
        with (
            _served(request, submission.record.profile.server) as served,
            open_job(served, environ=environ, command=command) as (job, machine),
        ):
            sample_shards(job, replace(machine, worker=owner.worker), submission, owner, slot=slot, stop=stop)
    else:
        folder = RunFolder(run)
        tasks = request.host.tasks(request.tasks)
        interpreter = request.config(tasks).judge.interpreter
        benchmarks = {task.benchmark.name: task.benchmark for task in tasks}
        with (
            show_progress() as on_progress,
            request.host.machine(environ, on_progress, interpreter=interpreter) as machine,
        ):
            named = replace(machine, worker=owner.worker)
            judge_shards(load_run(folder, named, benchmarks), named, submission, owner, slot=slot, stop=stop)
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


def _for_this_job(request: RunRequest, environ: dict[str, str]) -> RunRequest:
    """Return the request with as many programs at a time as the job has cores, where nothing else was said."""
    cores = environ.get("SLURM_CPUS_PER_TASK", "")
    if request.host.workers or not cores.isdigit():
        return request
    workers = max(1, int(cores) - find_back_end(request.model).cores)
    return replace(request, host=replace(request.host, workers=workers))


@contextmanager
def _served(request: RunRequest, command: str) -> Iterator[RunRequest]:
    """Yield the request, asked of a server of this job's own if the profile has a command for one."""
    if not command:
        yield request
        return
    with serve(command, model=served_name(Wanted(request.model_args))) as base_url:
        yield replace(request, model_args=f"{request.model_args},base_url={base_url}")
