"""The commands that read runs: score, compare, noise, publish, plot, and export and import beside other tools."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from turnwise.cli.parameters import say
from turnwise.commands.options import AsJson, Benchmark, DataDir, NAtK, Runs
from turnwise.records.choices import Along, By, ChartName, FileFormat, IntervalChoice, Over, PaperTable, Style

FormatOfFiles = Annotated[
    FileFormat, typer.Option("--format", help="Whose files: lm-eval, evalplus, livecodebench, csv or parquet.")
]


def score(
    runs: Runs,
    by: Annotated[By, typer.Option(help="What the rows are: task, difficulty or turns.")] = By.TASK,
    n_at_k: NAtK = "",
    interval: Annotated[
        IntervalChoice | None,
        typer.Option(
            help="95 % intervals over samples (jackknife, default), problems or contests (BCa); zheng, "
            "zheng-with-replacement or rlef as in the papers, no coverage claimed; or none (docs/estimators.md)."
        ),
    ] = None,
    style: Annotated[
        Style, typer.Option("--format", help="What to print: text, github, latex, csv or json.")
    ] = Style.TEXT,
    table: Annotated[
        PaperTable | None,
        typer.Option(
            help="A table of the papers: grid, feedback, turns, cot-gain, taco, rlef, rft, rlef-ablation, behaviour, "
            "behaviour-chrf."
        ),
    ] = None,
    curve: Annotated[Along | None, typer.Option(help="The curve along turns, tokens (equal budgets) or k.")] = None,
) -> None:
    """Make the tables of runs; no model is asked and no program run."""
    from turnwise.commands.score import score_command

    chosen = {"interval": interval or "", "table": table or "", "curve": curve or ""}
    say(score_command(runs, by=by, n_at_k=n_at_k, style=style, **chosen))


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="A B...", help="Run folders, folders of them, or globs.")],
    interval: Annotated[
        Over, typer.Option(help="What is taken as drawn at random: samples, problems or contests.")
    ] = Over.PROBLEMS,
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
    audit: Annotated[
        list[Path] | None,
        typer.Option(help="What turnwise audit -o wrote, or a folder of it: how far to trust the verdicts."),
    ] = None,
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
        audits=audit or (),
    )
    say(said)


def plot(
    runs: Runs,
    chart: Annotated[
        ChartName,
        typer.Option(help="turns, n_at_k, pass_at_k, tokens, difficulty, failures, similarity, prose or grid."),
    ] = ChartName.TURNS,
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


def export_run(
    runs: Runs,
    file_format: FormatOfFiles,
    output_path: Annotated[
        Path,
        typer.Option(
            "--output-path",
            "-o",
            help="The file to write: NAME.jsonl or NAME_eval_results.json for evalplus; a folder for lm-eval, and for "
            "several runs.",
        ),
    ],
    task_names: Annotated[str, typer.Option("--tasks", "-t", help="Which of the run's tasks; default: all.")] = "",
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Leave out dialogues that are missing instead of stopping.")
    ] = False,
) -> None:
    """Write runs as the files of another tool, or as flat tables."""
    from turnwise.commands.exchange import export_command

    say(export_command(runs, file_format.value, output_path, tasks=task_names, allow_missing=allow_missing))


def import_run(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What another tool, or export, wrote.")],
    file_format: FormatOfFiles,
    output_path: Annotated[Path, typer.Option("--output-path", "-o", help="The run folder to make.")],
    task_names: Annotated[str, typer.Option("--tasks", "-t", help="The task, where the files do not say.")] = "",
    model: Annotated[str, typer.Option("--model", "-M", help="The model's name; default: as the files say.")] = "",
    data_dir: DataDir = None,
    benchmark: Benchmark = "",
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Count what the files lack as missing instead of stopping.")
    ] = False,
) -> None:
    """Make a run folder of files of another tool; no program is run."""
    from turnwise.commands.exchange import import_command
    from turnwise.exchange.imported import Options

    options = Options(file_format.value, task_names, model, data_dir, allow_missing, benchmark)
    say(import_command(files, options, output_path, environ=dict(os.environ), arguments=sys.argv[1:]))
