"""All commands under the name turnwise, in the order in which its help lists them; those about tasks and programs."""

import os
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from turnwise.cli import results, runs, training
from turnwise.cli.parameters import say, takes
from turnwise.commands.options import (
    AsJson,
    Benchmark,
    CheckOptions,
    DataDir,
    Interpreter,
    ShowOptions,
    SkipBroken,
    ValidateOptions,
    Workers,
)
from turnwise.commands.training_options import ContaminationOptions
from turnwise.errors import InfrastructureError
from turnwise.json_text import json_text
from turnwise.records.choices import IsolationTier
from turnwise.records.settings import DEFAULT_ANSWERS, OnError

app = typer.Typer(
    name="turnwise",
    help="Measure how language models write code over several turns with execution feedback.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
checkers_app = typer.Typer(
    help="Checkers of problems with several right answers.", no_args_is_help=True, rich_markup_mode=None
)
prompts_app = typer.Typer(help="The prompts, filled in.", no_args_is_help=True, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        import turnwise

        print(f"turnwise {turnwise.__version__}")
        raise typer.Exit


def tasks(
    names: Annotated[str, typer.Argument(help="Names or globs, separated by commas.")] = "*",
    data_dir: DataDir = None,
    skip_broken_rows: SkipBroken = False,
    benchmark: Benchmark = "",
    as_json: AsJson = False,
) -> None:
    """List the tasks: their data, how many problems of it are here, and what is flagged.

    Training tasks are listed by their full names alone.
    """
    from turnwise.commands.tasks import render_tasks, summarise_tasks, task_document, training_note

    on_error: OnError = "skip" if skip_broken_rows else "raise"
    summaries = summarise_tasks(
        names, data_dir=data_dir, environ=dict(os.environ), on_error=on_error, benchmark=benchmark
    )
    if as_json:
        say(json_text([task_document(one) for one in summaries], indent=1))
    else:
        say(render_tasks(summaries, training_note(names, benchmark)))


def tasks_path(benchmark: Benchmark = "") -> None:
    """Print the folder of the tasks' definitions for lm_eval --include_path, where its hook is switched off."""
    from turnwise.harness.definitions import write_definitions

    say(str(write_definitions(benchmark)))


@takes(ShowOptions)
def show_prompts(options: ShowOptions) -> None:
    """Show a whole dialogue as the model would read it, with its length turn by turn; no model is asked."""
    from turnwise.commands.prompts import show_command

    say(show_command(options, environ=dict(os.environ)))


@takes(ValidateOptions)
def validate_checkers(
    options: ValidateOptions,
    answers: Annotated[
        str, typer.Argument(metavar="[SET]", help="checkers-1, or a folder of checkers (docs/checkers.md).")
    ] = DEFAULT_ANSWERS,
    as_json: AsJson = False,
) -> None:
    """Try each checker of a set on right, wrong and hostile outputs; status 1 if any does not validate."""
    from turnwise.commands.checkers import validate_command

    validated = validate_command(answers, options, environ=dict(os.environ), as_json=as_json)
    say(validated.text)
    if not validated.is_valid:
        raise typer.Exit(1)


@takes(CheckOptions)
def check(
    program: Annotated[Path, typer.Argument(help="The file with the program to judge.")],
    options: CheckOptions,
    as_json: AsJson = False,
) -> None:
    """Judge one program and explain each public test; hidden tests show as verdicts only."""
    from turnwise.commands.check import check_document, check_program, render_check
    from turnwise.records.report import Verdict
    from turnwise.runners.execution.hardened import HardenedExecutor

    with closing(HardenedExecutor(options.interpreter)) as executor:
        result = check_program(program, options, executor, environ=dict(os.environ))
        short = executor.inherited.shortfalls(result.problem.limits)
    say(json_text(check_document(result), indent=1) if as_json else render_check(result))
    if result.report.verdict is Verdict.INFRASTRUCTURE_FAILURE:
        remedy = " ".join(["a limit is too low.", *map(str, short)]) if short else "try again."
        raise InfrastructureError(f"The machine failed while judging, so there is no verdict: {remedy}")


@takes(ContaminationOptions)
def contamination(options: ContaminationOptions, as_json: AsJson = False) -> None:
    """Find the problems of a task that are also in test sets: by their statements, and by solutions of near ones."""
    from turnwise.commands.contamination import contamination_command, contamination_text

    say(contamination_text(contamination_command(options, environ=dict(os.environ)), as_json=as_json))


def doctor(
    interpreter: Interpreter = "",
    tier: Annotated[
        IsolationTier | None, typer.Option(help="Look at this isolation tier (A, B or C) instead of the best.")
    ] = None,
    workers: Workers = 0,
    as_json: AsJson = False,
) -> None:
    """Tell whether programs can be judged here, how well they are isolated, and what to change."""
    from turnwise.commands.doctor import diagnosis_document, render_diagnosis
    from turnwise.runners.diagnosis import diagnose

    found = diagnose(interpreter, tier=tier.value if tier else "", workers=workers, environ=dict(os.environ))
    say(json_text(diagnosis_document(found), indent=1) if as_json else render_diagnosis(found))
    if not found.is_well:
        raise InfrastructureError("This machine does not judge programs as it should: see what is said above.")


app.command("tasks")(tasks)
app.command("tasks-path")(tasks_path)
app.command("check")(check)
app.command("run")(runs.run)
app.command("sample")(runs.sample)
app.command("submit")(runs.submit)
app.command("status")(runs.status)
app.command("collect")(runs.collect)
app.command("cancel")(runs.cancel)
app.command("resume")(runs.resume)
app.command("worker", hidden=True)(runs.worker)
app.command("grid")(runs.grid)
app.command("judge")(runs.judge)
app.command("audit")(runs.audit)
app.command("verify")(runs.verify)
app.command("score")(results.score)
app.command("compare")(results.compare)
app.command("publish")(results.publish)
app.command("plot")(results.plot)
app.command("noise")(results.noise)
app.command("contamination")(contamination)
app.command("rft-data")(training.rft_data)
app.command("rft")(training.rft)
app.command("rlef")(training.rlef)
app.command("doctor")(doctor)
app.command("export")(results.export_run)
app.command("import")(results.import_run)
app.command("demo")(runs.demo)
app.add_typer(checkers_app, name="checkers")
checkers_app.command("validate")(validate_checkers)
app.add_typer(prompts_app, name="prompts")
prompts_app.command("show")(show_prompts)
