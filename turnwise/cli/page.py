"""The commands that draw runs: publish, the leaderboard's page, and plot, its charts as files."""

import os
from pathlib import Path
from typing import Annotated

import typer

from turnwise.cli.options import NAtK, Runs
from turnwise.cli.output import say


def publish(
    runs: Runs,
    output_path: Annotated[Path, typer.Option("--output-path", "-o", help="The folder of the page.")] = Path("site"),
    title: Annotated[str, typer.Option(help="The page's title.")] = "",
    models: Annotated[
        Path | None,
        typer.Option(help="A yaml file of facts on models (docs/leaderboard.md)."),
    ] = None,
    n_at_k: NAtK = "",
    dialogues: Annotated[bool, typer.Option(help="Whether dialogues can be read on the page.")] = True,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Publish with dialogues missing, with the bounds that this leaves.")
    ] = False,
) -> None:
    """Make the leaderboard page of runs: one file that needs no server and no network."""
    from turnwise.commands.publish import publish_command

    said = publish_command(
        runs,
        output_path,
        environ=dict(os.environ),
        n_at_k=n_at_k,
        title=title,
        facts=models,
        with_dialogues=dialogues,
        allow_missing=allow_missing,
    )
    say(said)


def plot(
    runs: Runs,
    chart: Annotated[
        str,
        typer.Option(help="turns, n_at_k, pass_at_k, tokens, difficulty, failures, similarity, prose or grid."),
    ] = "turns",
    output_path: Annotated[
        Path, typer.Option("--output-path", "-o", help="The file: .svg, .png, .pdf, or .json for the specification.")
    ] = Path("plot.svg"),
    task_names: Annotated[
        str, typer.Option("--tasks", "-t", help="The task; needed where the runs have several.")
    ] = "",
    n_at_k: NAtK = "",
    width: Annotated[int, typer.Option(help="Of the drawing, in points.")] = 420,
    dark: Annotated[bool, typer.Option("--dark", help="Light lines, for a dark page.")] = False,
) -> None:
    """Draw a chart of the page as a file, for papers and talks."""
    from turnwise.commands.plot import plot_command

    said = plot_command(runs, output_path, chart=chart, task=task_names, n_at_k=n_at_k, width=width, dark=dark)
    say(said)
