"""The options and arguments that several commands have, each with its name and its line of help."""

from pathlib import Path
from typing import Annotated

import typer

Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders, folders of them, or globs.")]
Tasks = Annotated[str, typer.Option("--tasks", "-t", help="Names or globs, separated by commas.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Folder with local data files (docs/data.md); default: TURNWISE_DATA, then the hub.",
    ),
]
Benchmark = Annotated[
    str,
    typer.Option(help="A benchmark of your own: a .jsonl or .py file, or an installed one's name (docs/data.md)."),
]
SkipBroken = Annotated[
    bool, typer.Option("--skip-broken-rows", help="Leave out rows that cannot be read instead of stopping.")
]
Interpreter = Annotated[str, typer.Option(help="The Python that runs programs; default: this one.")]
Workers = Annotated[int, typer.Option(help="Programs judged at a time; default: the usable cores.")]
MatcherOfProfile = Annotated[
    str | None,
    typer.Option(
        "--matcher", help="How outputs are compared: tokens, exact or deepmind; default: that of the profile or run."
    ),
]
TimeFactorOfProfile = Annotated[
    float | None,
    typer.Option("--time-factor", help="Multiplies every time limit; recorded; default: that of the profile or run."),
]
StubImports = Annotated[
    bool,
    typer.Option("--stub-imports", help="HumanEval+: put the stub's imports and helper functions before each program."),
]
Profile = Annotated[str, typer.Option(help="Settings to begin with: default, zheng or rlef.")]
Strategy = Annotated[
    str,
    typer.Option(help="single_turn, multi_turn, cot, cot_every_turn, cot_retry, or a yaml file (docs/strategies.md)."),
]
Reasoning = Annotated[str, typer.Option(help="A reasoning prompt, or several joined by +; none for none.")]
Instruction = Annotated[str, typer.Option(help="An instruction prompt; none for none.")]
Feedback = Annotated[
    str, typer.Option(help="What a turn is told: binary, failed_tests, failed_and_passed, ldb, none or random.")
]
IncorrectPrograms = Annotated[
    Path | None,
    typer.Option(help="For feedback random: JSON lines of {problem, program}; default: the data set's own."),
]
SystemInstruction = Annotated[str | None, typer.Option(help="A system message said before everything.")]
Prompts = Annotated[Path | None, typer.Option(help="A folder of prompts in place of the bundled set.")]
NAtK = Annotated[str, typer.Option("--n-at-k", help="More pass n@k to report, such as 1@3,10@100.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
