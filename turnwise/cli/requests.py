"""From the options of a command that asks a model to what turnwise.commands is to do.

Loads what carries them out: a command imports it as it runs, so that its help does without.
"""

from pathlib import Path
from typing import Any

from turnwise.cli.grid_options import GridOptions
from turnwise.cli.run_options import RunOptions
from turnwise.commands.grid import GridRequest
from turnwise.commands.preflight import DryRun
from turnwise.commands.run import HostOptions, RunRequest
from turnwise.errors import TurnwiseError


def run_request(options: RunOptions, *, command: str | None) -> RunRequest:
    """Return what ``options`` ask of ``turnwise run``, or of another ``command`` that has them.

    Raises TurnwiseError for an option that is missing, or one of a dry run that is none.
    """
    _check_given(options, f"turnwise {command} needs {{}}; turnwise demo runs the bundled sample without it.")
    _check_dry_run(options)
    dry_run = DryRun(options.calibrate, options.throughput, options.gpus) if options.dry_run else None
    return _request(
        options,
        dry_run,
        strategy=options.strategy or None,
        reasoning=options.reasoning or None,
        instruction=options.instruction or None,
        feedback=options.feedback or None,
    )


def grid_request(options: GridOptions) -> GridRequest:
    """Return what ``options`` ask of ``turnwise grid``; raises TurnwiseError for an option that is missing."""
    _check_given(options, "turnwise grid needs {}.")
    return GridRequest(
        _request(options),
        options.cells,
        options.strategy,
        options.feedback,
        options.temperatures,
        options.max_turns,
        options.metric,
        options.dry_run,
    )


def typed(**values: Any) -> dict[str, Any]:
    """Return the settings that are not None: those that the user typed."""
    return {name: value for name, value in values.items() if value is not None}


def _check_given(options: RunOptions | GridOptions, sentence: str) -> None:
    needed = {"--model": options.model, "--tasks": options.task_names, "--output_path": options.output_path}
    for option, value in needed.items():
        if not value:
            raise TurnwiseError(sentence.format(option))


def _check_dry_run(options: RunOptions) -> None:
    """Raise TurnwiseError for what only an estimate takes, before it begins the run that was to be estimated."""
    bare = RunOptions()
    for name in ("calibrate", "throughput", "gpus"):
        value = getattr(options, name)
        if not options.dry_run and value != getattr(bare, name):
            raise TurnwiseError(f"--{name} is {value:g}, which --dry-run alone takes: add --dry-run, or leave it out.")


def _request(options: RunOptions | GridOptions, dry_run: DryRun | None = None, **more: Any) -> RunRequest:
    given = typed(
        seed=options.seed,
        matcher=options.matcher,
        time_factor=options.time_factor,
        limit=options.limit,
        system_instruction=options.system_instruction,
        on_error="skip" if options.skip_broken_rows else None,
        strict_context=options.strict_context or None,
        stub_imports=options.stub_imports or None,
        **more,
    )
    return RunRequest(
        options.model,
        options.model_args,
        options.task_names,
        options.output_path or Path(),
        HostOptions(options.data_dir, options.interpreter, options.workers, options.benchmark),
        given,
        options.profile,
        options.metadata,
        options.gen_kwargs,
        options.samples,
        options.prompts,
        options.incorrect_programs,
        dry_run,
    )
