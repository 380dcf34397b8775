"""``turnwise run`` and ``sample``: a model over tasks, or (--dry-run) what that will take; nothing is sampled then."""

import math
import re
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from turnwise.commands.judge import describe_near_limits
from turnwise.commands.machine import check_run_output, open_machine, show_progress
from turnwise.commands.options import RunOptions
from turnwise.commands.score import score_command
from turnwise.commands.settings import check_decoys, config_of_options, tasks_of_options
from turnwise.commands.verify import verified_problems
from turnwise.records.metrics import parse_n_at_k
from turnwise.records.run_folder import RunFolder
from turnwise.runners.loading import LoadedTask, Machine, load_decoys, open_task, resolve_task
from turnwise.runners.models.back_end import BackEnd, Wanted
from turnwise.runners.models.catalog import find_back_end, recorded_model
from turnwise.runners.models.chat import TokenCounter
from turnwise.runners.models.sampler import Model, ScriptedSampler
from turnwise.runners.preflight import (
    Calibration,
    Estimate,
    FirstPrompts,
    Range,
    calibrate,
    count_first_prompts,
    estimate_run,
)
from turnwise.runners.sampling import Job, Sampled, sample
from turnwise.runners.work import check_same_run
from turnwise.tasks.plan import strategy_of, turns_of
from turnwise.tasks.prompts import PromptSet
from turnwise.texts import encodable

_PASSWORD = re.compile(r"://[^/\s,@]+@")
_QUERY = re.compile(r"(://[^\s,?'\"]*)\?[^\s,'\"]+")
_SHOWN_PROBLEMS = 5


@contextmanager
def open_job(
    options: RunOptions,
    *,
    environ: dict[str, str],
    command: str,
    stand_in: Callable[[BackEnd], Model | None] = lambda _: None,
    base_url: str = "",
) -> Iterator[tuple[Job, Machine]]:
    """Yield the job that ``options`` describe and the machine, checked; ``command`` goes into run.json.

    A ``stand_in`` takes the place of a model that need not be opened; ``base_url`` is the address of a server that was
    started for the job. Raises TurnwiseError for what the user got wrong.
    """
    back_end = find_back_end(options.model)
    tasks = tasks_of_options(options)
    config = config_of_options(options, tasks)
    settings = config.settings
    check_run_output(options.output)
    prompts = PromptSet.load(options.prompts)
    for task in tasks:
        prompts.check(strategy_of(settings, task).prompt_ids)
    check_decoys(options.incorrect_programs, [settings], tasks)
    with (
        show_progress() as on_progress,
        open_machine(
            environ,
            on_progress,
            data_dir=options.data_dir,
            interpreter=options.interpreter or config.judge.interpreter,
            workers=options.workers,
            back_end=back_end,
        ) as machine,
    ):
        verified = verified_problems(options, config, machine, run=options.output)
        opened = [
            open_task(task, settings, data_dir=machine.data_dir, environ=environ, verified=verified) for task in tasks
        ]
        problems = [problem for one in opened for problem in one.source.problems]
        wanted = Wanted(options.model_args, environ, settings, tasks, problems, base_url=base_url)
        model = stand_in(back_end) or back_end.open(wanted)
        # A dry run does without expected outputs, which may take minutes.
        loaded = [resolve_task(one, machine, config.judge, with_expected=not options.dry_run) for one in opened]
        is_run = not options.dry_run or options.calibrate > 0
        decoys = load_decoys(loaded, settings, machine, config.judge, path=options.incorrect_programs, runnable=is_run)
        yield Job(loaded, model, settings, prompts, command, decoys, config.judge), machine


def run_command(options: RunOptions, *, environ: dict[str, str], arguments: Sequence[str]) -> str:
    """Sample, judge (unless ``predict_only``) and score; return what to print.

    Raises TurnwiseError for what the user got wrong, before the model is asked anything.
    """
    options.check("run")
    return _run(options, environ, arguments)


def sample_command(options: RunOptions, *, environ: dict[str, str], arguments: Sequence[str]) -> str:
    """Sample alone; else as ``run_command``."""
    options.check("sample")
    return _run(replace(options, predict_only=True), environ, arguments)


def _run(options: RunOptions, environ: dict[str, str], arguments: Sequence[str]) -> str:
    stand_in = partial(_stand_in, options, environ)
    with open_job(options, environ=environ, command=command_line(arguments), stand_in=stand_in) as (job, machine):
        if options.dry_run:
            back_end, wanted = find_back_end(options.model), Wanted(options.model_args, environ, job.settings)
            limit = back_end.reply_limit(wanted)
            return _describe_dry_run(options, job, machine, back_end.count(wanted), reply_limit=limit)
        sampled = sample(job, machine, output=options.output, judge_hidden=not options.predict_only)
    said = [*describe_sampled(sampled, options.output), *describe_near_limits(RunFolder(options.output))]
    if options.predict_only:
        return "\n".join([*said, f"Sampled: {options.output}; next: turnwise judge {options.output}"])
    return "\n".join([score_command([options.output]), *said])


def _stand_in(options: RunOptions, environ: Mapping[str, str], back_end: BackEnd) -> Model | None:
    """Return what stands for a model that will not be asked, since opening an engine takes minutes."""
    if options.dry_run:
        is_asked = options.calibrate or not back_end.in_process
        return None if is_asked else ScriptedSampler({}, "not loaded, since it is not asked")
    found = recorded_model(back_end, Wanted(options.model_args, environ), options.output)
    return found if found and RunFolder(options.output).is_sampled() else None


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


def _describe_dry_run(
    options: RunOptions, job: Job, machine: Machine, counter: TokenCounter, *, reply_limit: int | None
) -> str:
    """Return what is known of the run; a calibration asks the model for its dialogues.

    ``reply_limit`` is how many tokens a reply may have, None for no limit.

    Raises TurnwiseError if the output holds another run.
    """
    _refuse_another_run(job, machine, options.output)
    prompts = count_first_prompts(job, counter, reply_limit=reply_limit)
    found = calibrate(job, machine, dialogues=options.calibrate) if options.calibrate else None
    estimate = estimate_run(job, prompts, found)
    executor = machine.executor
    lines = [_task_line(loaded, job) for loaded in job.tasks]
    lines += [f"Sandbox: tier {executor.tier}, {executor.interpreter}, {machine.workers} programs at a time."]
    lines += prompt_lines(prompts)
    lines += _size_lines(estimate)
    lines += _calibration_lines(found)
    lines += _time_lines(estimate, found, options)
    lines.append(_disk_line(estimate, options.output))
    return "\n".join([*lines, "Nothing was sampled: the same line without --dry-run begins."])


def _refuse_another_run(job: Job, machine: Machine, output: Path) -> None:
    folder = RunFolder(output)
    if not folder.run_json.exists():
        return
    record = job.to_record(machine)
    if isinstance(job.sampler, ScriptedSampler):  # an engine that is not loaded cannot tell what run.json says of it
        record = replace(record, model=folder.record.model)
    check_same_run(folder, record)


def _task_line(loaded: LoadedTask, job: Job) -> str:
    settings = job.settings
    turns, samples = turns_of(settings, loaded.task), settings.samples_per_problem
    asked = [name for name in settings.n_at_k if parse_n_at_k(name).is_supported(samples=samples, turns=turns)]
    return (
        f"{loaded.task.name}: {len(loaded.asked)} of {len(loaded.source.problems)} problems x "
        f"{samples} samples, at most {turns} turns" + (f"; {', '.join(asked)} can be scored." if asked else ".")
    )


def prompt_lines(prompts: FirstPrompts) -> list[str]:
    """Return how long the first prompts are, and whether the context has room for them and a reply."""
    counts = sorted(prompts.tokens.values())
    how = "counted by the model's tokenizer" if prompts.is_exact else "guessed from characters"
    lines = [
        f"First prompts: {len(counts)}, {counts[0]} to {counts[-1]} tokens, median {counts[len(counts) // 2]} ({how})."
    ]
    if prompts.max_length is None:
        return [*lines, "Context: unknown; the model's server refuses what outgrows it, which ends that dialogue."]
    reply = prompts.reply_limit or 1
    if not prompts.too_long:
        return [*lines, f"Context: {prompts.max_length} tokens; every first prompt leaves {reply} for a reply."]
    problems = list(dict.fromkeys(prompts.too_long))
    names = ", ".join(problems[:_SHOWN_PROBLEMS]) + (" ..." if len(problems) > _SHOWN_PROBLEMS else "")
    return [
        *lines,
        f"Context: {prompts.max_length} tokens; {len(prompts.too_long)} of {len(counts)} first prompts leave fewer "
        f"than {reply} for a reply; one that leaves none ends as context_overflow, which counts as failed: {names}.",
    ]


def _size_lines(estimate: Estimate) -> list[str]:
    lines = [f"Dialogues: {estimate.dialogues:,}; model calls: {_show(estimate.calls)}."]
    if estimate.prompt_tokens is not None:
        lines.append(f"Prompt tokens: {_show(estimate.prompt_tokens)}.")
    if estimate.completion_tokens is None:
        return [*lines, "Completion tokens: unknown; give --gen_kwargs max_gen_toks=N, or --calibrate 8."]
    return [*lines, f"Completion tokens: {_show(estimate.completion_tokens)}."]


def _calibration_lines(found: Calibration | None) -> list[str]:
    if found is None:
        return []
    missing = f"; {found.missing} were missing" if found.missing else ""
    if not found.calls:
        return [f"Calibration: all {found.missing} dialogues were missing: look at the model's server."]
    return [
        f"Calibration: {len(found.calls)} dialogues in {found.seconds:.1f} s, {sum(found.calls)} calls, "
        f"{found.tokens_per_second:.0f} completion tokens/s{missing}."
    ]


def _time_lines(estimate: Estimate, found: Calibration | None, options: RunOptions) -> list[str]:
    tokens = estimate.completion_tokens
    rate = options.throughput or (found.tokens_per_second if found is not None and found.calls else 0.0)
    if tokens is None or not rate:
        return ["Time: unknown; give --throughput TOKENS_PER_SECOND, or --calibrate 8."]
    hours = Range(tokens.low / rate / 3600, tokens.high / rate / 3600)
    which = "given" if options.throughput else f"of {len(found.calls) if found else 0} dialogues at a time, so at most"
    return [
        f"Time: {_show(hours, digits=2)} hours at {rate:.0f} tokens/s ({which}), "
        f"{_show(Range(hours.low * options.gpus, hours.high * options.gpus), digits=2)} GPU-hours."
    ]


def _disk_line(estimate: Estimate, output: Path) -> str:
    existing = next(path for path in (output.absolute(), *output.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    needed = f"Disk: about {estimate.disk_bytes / 1e9:.2f} GB, {free / 1e9:.1f} GB free"
    return f"{needed}." if estimate.disk_bytes < free else f"{needed}: give another --output_path, or make room."


def _show(found: Range, *, digits: int = 0) -> str:
    if found.high == math.inf:
        return f"at least {found.low:,.{digits}f}"
    if found.low <= 0:
        return f"at most {found.high:,.{digits}f}"
    if f"{found.low:,.{digits}f}" == f"{found.high:,.{digits}f}":
        return f"{found.low:,.{digits}f}"
    return f"{found.low:,.{digits}f} to {found.high:,.{digits}f}"
