"""``turnwise run --dry-run``: everything is checked and counted, nothing is sampled; what the run will take."""

import math
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.records.metrics import parse_n_at_k
from turnwise.records.run_folder import RunFolder
from turnwise.runners.loading import LoadedTask, Machine
from turnwise.runners.models.chat import TokenCounter
from turnwise.runners.models.sampler import ScriptedSampler
from turnwise.runners.preflight import (
    Calibration,
    Estimate,
    FirstPrompts,
    Range,
    calibrate,
    count_first_prompts,
    estimate_run,
)
from turnwise.runners.sampling import Job
from turnwise.runners.work import check_same_run
from turnwise.tasks.plan import turns_of

_SHOWN_PROBLEMS = 5


@dataclass(frozen=True, slots=True)
class DryRun:
    """The options of ``--dry-run``: dialogues to calibrate with, the server's throughput (tokens/s), its GPUs."""

    calibrate: int = 0
    throughput: float = 0.0
    gpus: int = 1

    def check(self) -> None:
        """Raise TurnwiseError for numbers that cannot be."""
        if self.calibrate < 0:
            raise TurnwiseError(f"--calibrate is {self.calibrate}: give a number of dialogues.")
        if not 0 <= self.throughput < math.inf:
            raise TurnwiseError(f"--throughput is {self.throughput:g}: give completion tokens a second.")
        if self.gpus < 1:
            raise TurnwiseError(f"--gpus is {self.gpus}: give at least 1.")


def preflight(
    job: Job, machine: Machine, counter: TokenCounter, options: DryRun, *, output: Path, reply_limit: int | None
) -> str:
    """Return what is known of the run; a calibration asks the model for its dialogues.

    ``reply_limit`` is how many tokens a reply may have, None for no limit.

    Raises TurnwiseError if ``output`` holds another run.
    """
    _refuse_another_run(job, machine, output)
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
    lines.append(_disk_line(estimate, output))
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


def _time_lines(estimate: Estimate, found: Calibration | None, options: DryRun) -> list[str]:
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
