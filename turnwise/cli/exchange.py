"""The commands between runs and the files of other tools: export and import."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from turnwise.cli.options import DataDir, Runs
from turnwise.cli.output import say

FileFormat = Annotated[
    str, typer.Option("--format", help="Whose files: lm-eval, evalplus, livecodebench, csv or parquet.")
]


def export_run(
    runs: Runs,
    file_format: FileFormat,
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

    say(export_command(runs, file_format, output_path, tasks=task_names, allow_missing=allow_missing))


def import_run(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What another tool, or export, wrote.")],
    file_format: FileFormat,
    output_path: Annotated[Path, typer.Option("--output-path", "-o", help="The run folder to make.")],
    task_names: Annotated[str, typer.Option("--tasks", "-t", help="The task, where the files do not say.")] = "",
    model: Annotated[str, typer.Option("--model", "-M", help="The model's name; default: as the files say.")] = "",
    data_dir: DataDir = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Count what the files lack as missing instead of stopping.")
    ] = False,
) -> None:
    """Make a run folder of files of another tool; no program is run."""
    from turnwise.commands.exchange import import_command
    from turnwise.exchange.imported import Options

    options = Options(file_format, task_names, model, data_dir, allow_missing)
    say(import_command(files, options, output_path, environ=dict(os.environ), arguments=sys.argv[1:]))
