"""The options of ``turnwise grid``, as parsed and in the order of their help."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from turnwise.cli.config import Config
from turnwise.cli.options import (
    Benchmark,
    DataDir,
    IncorrectPrograms,
    Interpreter,
    MatcherOfProfile,
    Profile,
    Prompts,
    SkipBroken,
    StubImports,
    SystemInstruction,
    Tasks,
    TimeFactorOfProfile,
    Workers,
)


@dataclass(frozen=True, slots=True)
class GridOptions:
    """What the user asked for; ``GridOptions()`` is a line without options."""

    config: Config = None
    model: Annotated[str, typer.Option("--model", "-M", help="The model back end, as for turnwise run.")] = ""
    model_args: Annotated[str, typer.Option("--model-args", "-a", help="As for turnwise run.")] = ""
    task_names: Tasks = ""
    output_path: Annotated[
        Path | None, typer.Option("--output-path", "-o", help="The experiment folder: a run folder for each cell.")
    ] = None
    cells: Annotated[
        str, typer.Option(help="Which of the 63 reasoning+instruction, such as self_reflection+*,none+none.")
    ] = "*"
    strategy: Annotated[str, typer.Option(help="Strategies or yaml files, separated by commas.")] = ""
    feedback: Annotated[str, typer.Option(help="Kinds of feedback, separated by commas.")] = ""
    temperatures: Annotated[str, typer.Option(help="Temperatures, separated by commas.")] = ""
    max_turns: Annotated[str, typer.Option(help="Turn limits, separated by commas.")] = ""
    metric: Annotated[str, typer.Option(help="What chooses the best cell; default: 1@T, or pass@1 for one turn.")] = ""
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Name the cells and run nothing.")] = False
    profile: Profile = "default"
    metadata: Annotated[str, typer.Option(help="JSON settings of all cells, as for turnwise run.")] = ""
    gen_kwargs: Annotated[str, typer.Option(help="Sampling of all cells, as for turnwise run.")] = ""
    system_instruction: SystemInstruction = None
    prompts: Prompts = None
    incorrect_programs: IncorrectPrograms = None
    limit: Annotated[float | None, typer.Option("--limit", "-L", help="Only the first N problems of a task.")] = None
    samples: Annotated[str, typer.Option("--samples", "-E", help="JSON: which problems of a task.")] = ""
    seed: Annotated[int | None, typer.Option(help="The seed of all cells; default: 0.")] = None
    data_dir: DataDir = None
    benchmark: Benchmark = ""
    matcher: MatcherOfProfile = None
    time_factor: TimeFactorOfProfile = None
    interpreter: Interpreter = ""
    stub_imports: StubImports = False
    workers: Workers = 0
    strict_context: Annotated[
        bool, typer.Option("--strict-context", help="A prompt that the server cut without a word is context_overflow.")
    ] = False
    skip_broken_rows: SkipBroken = False
