"""The commands that make runs and judge them: run, sample, grid, judge and demo."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from turnwise.cli.grid_options import GridOptions
from turnwise.cli.options import (
    Benchmark,
    DataDir,
    Interpreter,
    MatcherOfProfile,
    StubImports,
    TimeFactorOfProfile,
    Workers,
)
from turnwise.cli.output import say
from turnwise.cli.parameters import takes
from turnwise.cli.run_options import RunOptions


@takes(RunOptions)
def run(context: typer.Context, options: RunOptions) -> None:
    """Ask a model, judge its programs, score: from tasks to a table."""
    _sample(context, options, judge_hidden=not options.predict_only)


@takes(RunOptions)
def sample(context: typer.Context, options: RunOptions) -> None:
    """Ask a model, with feedback from the public tests; judging and scoring come later."""
    _sample(context, options, judge_hidden=False)


def _sample(context: typer.Context, options: RunOptions, *, judge_hidden: bool) -> None:
    from turnwise.cli.requests import run_request
    from turnwise.commands.run import run_command

    request = run_request(options, command=context.info_name)
    say(run_command(request, environ=dict(os.environ), arguments=sys.argv[1:], judge_hidden=judge_hidden))


@takes(GridOptions)
def grid(options: GridOptions) -> None:
    """Run many combinations of prompts, strategies and settings, a run folder each; the same line goes on."""
    from turnwise.cli.requests import grid_request
    from turnwise.commands.grid import grid_command

    say(grid_command(grid_request(options), environ=dict(os.environ), arguments=sys.argv[1:]))


def judge(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that turnwise sample or run wrote.")],
    output_path: Annotated[
        Path | None,
        typer.Option("--output-path", "-o", help="Judge anew in a copy of the run, with the settings given here."),
    ] = None,
    data_dir: DataDir = None,
    benchmark: Benchmark = "",
    matcher: MatcherOfProfile = None,
    time_factor: TimeFactorOfProfile = None,
    interpreter: Interpreter = "",
    stub_imports: StubImports = False,
    workers: Workers = 0,
) -> None:
    """Judge the programs of a run that have no verdict yet; no model is asked."""
    from turnwise.commands.run import HostOptions, judge_command

    said = judge_command(
        run_folder,
        HostOptions(data_dir, interpreter, workers, benchmark),
        environ=dict(os.environ),
        output=output_path,
        matcher=matcher or "",
        time_factor=time_factor,
        stub_imports=stub_imports,
    )
    say(said)


def demo(
    output: Annotated[Path, typer.Option("--output-path", "-o", help="Where the results go.")] = Path("demo"),
) -> None:
    """Run three recorded models over the bundled sample: no data, no model, no GPU needed."""
    from turnwise.commands.demo import demo_command

    say(demo_command(output, environ=dict(os.environ)))
