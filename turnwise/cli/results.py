"""The commands that make tables of runs: score, compare and noise."""

from pathlib import Path
from typing import Annotated

import typer

from turnwise.cli.options import AsJson, NAtK, Runs
from turnwise.cli.output import say


def score(
    runs: Runs,
    by: Annotated[str, typer.Option(help="What the rows are: task, difficulty or turns.")] = "task",
    n_at_k: NAtK = "",
    interval: Annotated[
        str,
        typer.Option(
            help="95 % intervals over samples (jackknife, default), problems or contests (BCa); zheng, "
            "zheng-with-replacement or rlef as in the papers, no coverage claimed; or none (docs/estimators.md)."
        ),
    ] = "",
    style: Annotated[str, typer.Option("--format", help="What to print: text, github, latex, csv or json.")] = "text",
    table: Annotated[
        str,
        typer.Option(
            help="A table of the papers: grid, feedback, turns, cot-gain, taco, rlef, behaviour, behaviour-chrf."
        ),
    ] = "",
    curve: Annotated[str, typer.Option(help="The curve along turns, tokens (equal budgets) or k.")] = "",
) -> None:
    """Make the tables of runs; no model is asked and no program run."""
    from turnwise.commands.score import score_command

    say(score_command(runs, by=by, n_at_k=n_at_k, interval=interval, style=style, table=table, curve=curve))


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="A B...", help="Run folders, folders of them, or globs.")],
    interval: Annotated[
        str, typer.Option(help="What is taken as drawn at random: samples, problems or contests.")
    ] = "problems",
    n_at_k: NAtK = "",
    as_json: AsJson = False,
) -> None:
    """Compare two runs: B - A, interval, p-value, flipped problems; of more runs, the places that they can have."""
    from turnwise.commands.compare import compare_command

    say(compare_command(runs, over=interval, n_at_k=n_at_k, as_json=as_json))


def noise(
    run_folder: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="A run, or a folder of runs.")] = None,
    problems: Annotated[int, typer.Option(help="Problems of a run to come.")] = 0,
    samples: Annotated[int, typer.Option(help="Samples of each problem of a run to come.")] = 0,
    score: Annotated[float, typer.Option(help="The pass@1 expected, between 0 and 1.")] = 0.5,
    turns: Annotated[
        int, typer.Option(help="Turns at most, of a run to come: k replies make k // turns dialogues.")
    ] = 3,
    misled: Annotated[float, typer.Option(help="Share of wrong programs that pass the public tests, for n@k.")] = 0.1,
    n_at_k: NAtK = "",
) -> None:
    """Say which difference between two models a run can show: one that is done, or one to come."""
    from turnwise.commands.noise import Plan, noise_command

    plan = Plan(problems, samples, score, turns, misled) if problems or samples else None
    say(noise_command(run_folder, plan, n_at_k=n_at_k))
