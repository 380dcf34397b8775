"""``turnwise worker``: what the jobs of a submission start, not for hands; and the options that they are given.

A submission keeps the options of ``turnwise submit``, and copies of the files and folders that they name. Not among
these: what --config holds, which has become options; data sets, models and interpreters, which are told by what
run.json says of them.
"""

import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from turnwise.benchmarks.checkers.checker_sets import is_own_set
from turnwise.benchmarks.own import is_benchmark_file
from turnwise.commands.machine import open_machine, show_progress
from turnwise.commands.options import SubmitOptions
from turnwise.commands.run import open_job
from turnwise.commands.settings import config_of_options, tasks_of_options
from turnwise.commands.training_worker import train_on
from turnwise.errors import TurnwiseError
from turnwise.records.choices import BackEndName
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
from turnwise.tasks.prompts import is_bundled_set
from turnwise.tasks.strategies import is_strategy_file

PROMPTS, PROGRAMS, STRATEGY, ANSWERS = "prompts", "incorrect_programs", "strategy", "answers"
BENCHMARK, CHECKERS = "benchmark", "checkers"


def read_options(submission: Submission) -> SubmitOptions:
    """Return the options that a submission keeps; raises TurnwiseError for anything else."""
    try:
        return from_json(SubmitOptions, submission.record.options)
    except ValueError as error:
        raise TurnwiseError(
            f"The options in its submission.json cannot be read ({reason_of(error)}): submit the run again."
        ) from None


def named_inputs(options: SubmitOptions) -> dict[str, Path]:
    """Return the files and folders that the options name, absolute."""
    strategy = options.strategy or _metadata(options).get("strategy") or ""
    checkers = options.answers or _metadata(options).get("answers") or ""
    answers = Wanted(options.model_args).pairs.get("path", "") if options.model is BackEndName.REPLAY else ""
    found = {
        PROMPTS: None if options.prompts and is_bundled_set(options.prompts) else options.prompts,
        PROGRAMS: options.incorrect_programs,
        STRATEGY: Path(strategy) if is_strategy_file(strategy) else None,
        ANSWERS: Path(answers) if answers else None,
        BENCHMARK: Path(options.benchmark) if is_benchmark_file(options.benchmark) else None,
        CHECKERS: Path(checkers) if is_own_set(checkers) else None,
    }
    return {name: path.absolute() for name, path in found.items() if path is not None}


def with_inputs(options: SubmitOptions, paths: Mapping[str, Path]) -> SubmitOptions:
    """Return the options with ``paths`` in place of what they name."""
    strategy, metadata, model_args = options.strategy, options.metadata, options.model_args
    if STRATEGY in paths and strategy:
        strategy = str(paths[STRATEGY])
    elif STRATEGY in paths:
        metadata = json.dumps({**_metadata(options), "strategy": str(paths[STRATEGY])})
    if ANSWERS in paths and "," not in str(paths[ANSWERS]):  # an argument that has one cannot be written
        pairs = {**Wanted(model_args).pairs, "path": str(paths[ANSWERS])}
        model_args = ",".join(f"{name}={value}" for name, value in pairs.items())
    return replace(
        options,
        strategy=strategy,
        metadata=metadata,
        model_args=model_args,
        prompts=paths.get(PROMPTS, options.prompts),
        incorrect_programs=paths.get(PROGRAMS, options.incorrect_programs),
        benchmark=str(paths.get(BENCHMARK, options.benchmark)),
        answers=str(paths.get(CHECKERS, options.answers)),
    )


def _metadata(options: SubmitOptions) -> dict[str, Any]:
    """Return --metadata, which has been checked."""
    data = json.loads(options.metadata) if options.metadata else {}
    return data if isinstance(data, dict) else {}


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
