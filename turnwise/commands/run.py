"""``turnwise run``, ``sample`` and ``judge``: a model over tasks, and the verdicts on what it wrote."""

import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from turnwise.benchmarks.own import find_benchmarks
from turnwise.commands.machine import (
    check_cache_dir,
    check_data_dir,
    check_output,
    check_run_output,
    check_time_factor,
    show_progress,
    usable_cores,
)
from turnwise.commands.near_limits import describe_near_limits
from turnwise.commands.preflight import DryRun, preflight
from turnwise.commands.score import score_command
from turnwise.commands.settings import build_settings, check_decoys
from turnwise.errors import TurnwiseError
from turnwise.records.run_folder import RunFolder
from turnwise.records.settings import DEFAULT_MATCHER, RunConfig
from turnwise.runners.decoys import load_decoys
from turnwise.runners.diagnosis import check_machine
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.inherited import need_descriptors
from turnwise.runners.judging.expected import default_cache_dir
from turnwise.runners.judging_step import Judged, copy_for_judge, judge, load_run
from turnwise.runners.loading import Machine, Progress, open_task, resolve_task
from turnwise.runners.models.back_end import BackEnd, Wanted
from turnwise.runners.models.catalog import find_back_end, recorded_model
from turnwise.runners.models.sampler import Model, ScriptedSampler
from turnwise.runners.sampling import Job, Sampled, sample
from turnwise.tasks.catalog import Task, find_tasks
from turnwise.tasks.plan import strategy_of
from turnwise.tasks.prompts import PromptSet
from turnwise.texts import encodable

_PASSWORD = re.compile(r"://[^/\s,@]+@")
_QUERY = re.compile(r"(://[^\s,?'\"]*)\?[^\s,'\"]+")


@dataclass(frozen=True, slots=True)
class HostOptions:
    """The options that say where and how programs run, as given, and the user's own benchmark."""

    data_dir: Path | None
    interpreter: str
    workers: int
    benchmark: str = ""

    def tasks(self, names: str) -> tuple[Task, ...]:
        """Return the tasks that ``names`` select, of the built-in benchmarks and the user's own."""
        return find_tasks(names, find_benchmarks(self.benchmark, tasks=names))

    @contextmanager
    def machine(
        self,
        environ: dict[str, str],
        on_progress: Progress,
        *,
        interpreter: str = "",
        back_end: BackEnd | None = None,
    ) -> Iterator[Machine]:
        """Yield the machine they describe, its executor open; raises TurnwiseError for what cannot be.

        A ``back_end`` keeps the cores it needs, and finds the workers started where it runs in this process.
        """
        if self.workers < 0:
            raise TurnwiseError(f"--workers is {self.workers}: give a whole number, or 0 for the usable cores.")
        check_data_dir(self.data_dir)
        cache_dir = check_cache_dir(default_cache_dir(environ))
        workers = self.workers or max(1, usable_cores() - (back_end.cores if back_end else 0))
        need_descriptors(workers)
        with closing(HardenedExecutor(self.interpreter or interpreter)) as executor:
            for advice in check_machine(executor, workers=workers, environ=environ):
                print(f"turnwise: {advice}", file=sys.stderr, flush=True)
            if back_end is not None and back_end.in_process:
                executor.start_workers(workers)
            yield Machine(executor, cache_dir, self.data_dir, environ, workers, on_progress)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The options of ``turnwise run`` as given; ``given`` holds those that set one of the settings by name."""

    model: str
    model_args: str
    tasks: str
    output: Path
    host: HostOptions
    given: Mapping[str, Any]
    profile: str = "default"
    metadata: str = ""
    gen_kwargs: str = ""
    samples: str = ""
    prompts: Path | None = None
    incorrect_programs: Path | None = None
    dry_run: DryRun | None = None

    def config(self, tasks: Sequence[Task]) -> RunConfig:
        """Return the settings that the options make for ``tasks``; raises TurnwiseError for what cannot be."""
        return build_settings(
            profile=self.profile,
            metadata=self.metadata,
            gen_kwargs=self.gen_kwargs,
            samples=self.samples,
            tasks=tasks,
            given=self.given,
        )


@contextmanager
def open_job(
    request: RunRequest,
    *,
    environ: dict[str, str],
    command: str,
    stand_in: Callable[[BackEnd], Model | None] = lambda _: None,
) -> Iterator[tuple[Job, Machine]]:
    """Yield the job that ``request`` describes and the machine, checked; ``command`` goes into run.json.

    A ``stand_in`` takes the place of a model that need not be opened. Raises TurnwiseError for what the user got wrong.
    """
    back_end = find_back_end(request.model)
    tasks = request.host.tasks(request.tasks)
    config = request.config(tasks)
    settings = config.settings
    check_run_output(request.output)
    prompts = PromptSet.load(request.prompts)
    for task in tasks:
        prompts.check(strategy_of(settings, task).prompt_ids)
    check_decoys(request.incorrect_programs, [settings], tasks)
    with (
        show_progress() as on_progress,
        request.host.machine(environ, on_progress, interpreter=config.judge.interpreter, back_end=back_end) as machine,
    ):
        opened = [open_task(task, settings, data_dir=machine.data_dir, environ=environ) for task in tasks]
        problems = [problem for one in opened for problem in one.source.problems]
        model = stand_in(back_end) or back_end.open(Wanted(request.model_args, environ, settings, tasks, problems))
        is_dry = request.dry_run is not None  # runs no program: expected outputs may take minutes
        stub_imports = config.judge.stub_imports
        loaded = opened if is_dry else [resolve_task(one, machine, stub_imports=stub_imports) for one in opened]
        is_run = request.dry_run is None or request.dry_run.calibrate > 0
        decoys = load_decoys(loaded, settings, machine, path=request.incorrect_programs, runnable=is_run)
        yield Job(loaded, model, settings, prompts, command, decoys, config.judge), machine


def run_command(
    request: RunRequest, *, environ: dict[str, str], arguments: Sequence[str], judge_hidden: bool = True
) -> str:
    """Sample and, with ``judge_hidden``, judge and score; return what to print.

    Raises TurnwiseError for what the user got wrong, before the model is asked anything.
    """
    dry_run = request.dry_run
    if dry_run is not None:
        dry_run.check()

    with open_job(
        request, environ=environ, command=command_line(arguments), stand_in=partial(_stand_in, request, environ)
    ) as (job, machine):
        if dry_run is not None:
            back_end, wanted = find_back_end(request.model), Wanted(request.model_args, environ, job.settings)
            limit = back_end.reply_limit(wanted)
            return preflight(job, machine, back_end.count(wanted), dry_run, output=request.output, reply_limit=limit)
        sampled = sample(job, machine, output=request.output, judge_hidden=judge_hidden)
    said = [*describe_sampled(sampled, request.output), *describe_near_limits(RunFolder(request.output))]
    if not judge_hidden:
        return "\n".join([*said, f"Sampled: {request.output}; next: turnwise judge {request.output}"])
    return "\n".join([score_command([request.output]), *said])


def _stand_in(request: RunRequest, environ: Mapping[str, str], back_end: BackEnd) -> Model | None:
    """Return what stands for a model that will not be asked, since opening an engine takes minutes."""
    if request.dry_run is not None:
        is_asked = request.dry_run.calibrate or not back_end.in_process
        return None if is_asked else ScriptedSampler({}, "not loaded, since it is not asked")
    found = recorded_model(back_end, Wanted(request.model_args, environ), request.output)
    return found if found and RunFolder(request.output).is_sampled() else None


def judge_command(
    path: Path,
    host: HostOptions,
    *,
    environ: dict[str, str],
    output: Path | None = None,
    matcher: str = "",
    time_factor: float | None = None,
    stub_imports: bool = False,
) -> str:
    """Judge what has not been judged in a run folder, or (``output``) all of it anew in a copy; return what to print.

    Raises TurnwiseError for another judge than the run's without ``output``.
    """
    if time_factor is not None:
        check_time_factor(time_factor)
    folder = RunFolder(path)
    frozen = folder.record.judge
    if output is None and (matcher or time_factor is not None or stub_imports):
        raise TurnwiseError(
            "A run has one judge: give -o NEW_FOLDER to judge it with another --matcher or --time_factor, or with "
            "--stub-imports."
        )
    if output is None and not frozen.matcher:
        raise TurnwiseError(
            f"The run {str(path)!r} was imported, and its verdicts are not ours: give -o NEW_FOLDER to judge it there."
        )
    benchmarks = find_benchmarks(host.benchmark)
    with show_progress() as on_progress, host.machine(environ, on_progress) as machine:
        if output is not None:
            check_output(output)
            folder = copy_for_judge(
                folder,
                output,
                machine,
                matcher=matcher or frozen.matcher or DEFAULT_MATCHER,  # an imported run may not know its own
                time_factor=frozen.time_factor if time_factor is None else time_factor,
                stub_imports=stub_imports or folder.record.judge.stub_imports,
            )
        judged = judge(folder, load_run(folder, machine, benchmarks), machine)
    said = [*_describe_judged(judged), *describe_near_limits(folder)]
    return "\n".join([*said, f"Judged: {folder.path}; next: turnwise score {folder.path}"])


def command_line(arguments: Sequence[str]) -> str:
    """Return the command as one types it; bytes that are no UTF-8 are shown escaped.

    Passwords in addresses are left out, and so is what their queries hold.
    """
    return _QUERY.sub(r"\1?***", _PASSWORD.sub("://***@", encodable(shlex.join(["turnwise", *arguments]))))


def describe_sampled(sampled: Sampled, output: Path) -> list[str]:
    """Return the sentences on what is missing after sampling."""
    said = []
    if sampled.first_error:
        said.append(
            f"{sampled.missing} of {sampled.dialogues} dialogues are missing; the first request that failed: "
            f"{sampled.first_error}."
        )
    said += [f"Another that failed: {reason}." for reason in sampled.other_errors]
    if sampled.unjudged:
        said.append(f"The machine failed on {sampled.unjudged} programs: turnwise judge {output} tries them again.")
    return said


def _describe_judged(judged: Judged) -> list[str]:
    said = []
    if judged.not_sampled:
        said.append(f"{judged.not_sampled} of {judged.sampled + judged.not_sampled} dialogues are not sampled yet.")
    if judged.unjudged:
        said.append(f"The machine failed on {judged.unjudged} programs: run the same line again to judge them.")
    return said
