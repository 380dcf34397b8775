"""The commands that show what can be asked: tasks, tasks-path and prompts show."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from turnwise.cli.options import (
    AsJson,
    Benchmark,
    DataDir,
    Feedback,
    IncorrectPrograms,
    Instruction,
    Interpreter,
    Prompts,
    Reasoning,
    SkipBroken,
    Strategy,
    SystemInstruction,
    Tasks,
)
from turnwise.cli.output import say
from turnwise.json_text import json_text


def tasks(
    names: Annotated[str, typer.Argument(help="Names or globs, separated by commas.")] = "*",
    data_dir: DataDir = None,
    benchmark: Benchmark = "",
    skip_broken_rows: SkipBroken = False,
    as_json: AsJson = False,
) -> None:
    """List the tasks: their data, how many problems of it are here, and what is flagged."""
    from turnwise.commands.tasks import render_tasks, summarise_tasks, task_document

    on_error: Any = "skip" if skip_broken_rows else "raise"
    summaries = summarise_tasks(
        names, data_dir=data_dir, environ=dict(os.environ), on_error=on_error, benchmark=benchmark
    )
    say(json_text([task_document(one) for one in summaries], indent=1) if as_json else render_tasks(summaries))


def tasks_path(benchmark: Benchmark = "") -> None:
    """Print the folder of the tasks' definitions for lm_eval --include_path, where its hook is switched off."""
    from turnwise.harness.definitions import write_definitions

    say(str(write_definitions(benchmark)))


def show_prompts(
    task_names: Tasks,
    problem: Annotated[str, typer.Option(help="A problem's id; default: the first one asked.")] = "",
    strategy: Strategy = "",
    reasoning: Reasoning = "",
    instruction: Instruction = "",
    feedback: Feedback = "",
    metadata: Annotated[str, typer.Option(help="JSON settings, as for turnwise run.")] = "",
    system_instruction: SystemInstruction = None,
    prompts: Prompts = None,
    program: Annotated[
        list[Path] | None, typer.Option(help="The program of turn 1, 2, ...; default: stand-ins that fail.")
    ] = None,
    incorrect_programs: IncorrectPrograms = None,
    tokenizer: Annotated[
        str, typer.Option(help="Count tokens: a name on the hub, or a tokenizer.json; default: characters.")
    ] = "",
    data_dir: DataDir = None,
    benchmark: Benchmark = "",
    interpreter: Interpreter = "",
) -> None:
    """Show a whole dialogue as the model would read it, with its length turn by turn; no model is asked."""
    from turnwise.cli.requests import typed
    from turnwise.commands.prompts import ShowRequest, show_command
    from turnwise.commands.run import HostOptions

    request = ShowRequest(
        task_names,
        HostOptions(data_dir, interpreter, 0, benchmark),
        problem,
        typed(
            strategy=strategy or None,
            reasoning=reasoning or None,
            instruction=instruction or None,
            feedback=feedback or None,
            system_instruction=system_instruction,
        ),
        metadata,
        prompts,
        program or [],
        tokenizer,
        incorrect_programs,
    )
    say(show_command(request, environ=dict(os.environ)))
