"""The command line: parses, delegates to turnwise.commands, prints; errors end in one sentence, never a traceback.

Exit status: 0 done, 2 bad input or missing data, 3 the machine failed (infrastructure), 130 interrupted.
Option names follow lm-evaluation-harness; dashes and underscores in them are alike.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from turnwise.errors import InfrastructureError, TurnwiseError

app = typer.Typer(
    name="turnwise",
    help="Measure how language models write code over several turns with execution feedback.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Folder with local data files (docs/data.md); default: TURNWISE_DATA, then the hub.",
    ),
]
Matcher = Annotated[str, typer.Option(help="How outputs are compared: tokens, exact or deepmind.")]
TimeFactor = Annotated[float, typer.Option(help="Multiplies every time limit; recorded.")]
Interpreter = Annotated[str, typer.Option(help="The Python that runs programs; default: this one.")]
AllowReference = Annotated[
    bool,
    typer.Option("--unsafe-reference-executor", help="Run programs without isolation: only for programs you trust."),
]
SkipBroken = Annotated[
    bool, typer.Option("--skip-broken-rows", help="Leave out rows that cannot be read instead of stopping.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        import turnwise

        print(f"turnwise {turnwise.__version__}")
        raise typer.Exit


@app.command()
def tasks(
    names: Annotated[str, typer.Argument(help="Names or globs, separated by commas.")] = "*",
    data_dir: DataDir = None,
    skip_broken_rows: SkipBroken = False,
    as_json: AsJson = False,
) -> None:
    """List the tasks: their data, how many problems of it are here, and what is flagged."""
    from turnwise.commands.tasks import render_tasks, summarise_tasks

    on_error: Any = "skip" if skip_broken_rows else "raise"
    summaries = summarise_tasks(names, data_dir=data_dir, environ=dict(os.environ), on_error=on_error)
    _print(json.dumps([one.to_json() for one in summaries], indent=1) if as_json else render_tasks(summaries))


@app.command()
def check(
    program: Annotated[Path, typer.Argument(help="The file with the program to judge.")],
    problem: Annotated[str, typer.Option(help="A problem's id, such as codecontests/1575_B. ...")] = "",
    tests: Annotated[
        Path | None, typer.Option(help='JSON: {"public": [{"input", "output"}], "hidden": [...], limits}.')
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the problem's benchmark; default: test.")] = "",
    data_dir: DataDir = None,
    matcher: Matcher = "tokens",
    time_factor: TimeFactor = 1.0,
    interpreter: Interpreter = "",
    unsafe_reference_executor: AllowReference = False,
    skip_broken_rows: SkipBroken = False,
    as_json: AsJson = False,
) -> None:
    """Judge one program and explain each public test; hidden tests show as verdicts only."""
    from turnwise.benchmarks.records import Verdict
    from turnwise.commands.check import CheckRequest, check_program, render_check
    from turnwise.commands.machine import choose_executor

    executor = choose_executor(interpreter, allow_reference=unsafe_reference_executor)
    request = CheckRequest(
        program,
        problem,
        tests,
        split,
        data_dir,
        matcher,
        time_factor,
        "skip" if skip_broken_rows else "raise",
    )
    result = check_program(request, executor, environ=dict(os.environ))
    _print(json.dumps(result.to_json(), indent=1) if as_json else render_check(result))
    if result.report.verdict is Verdict.INFRASTRUCTURE_FAILURE:
        raise InfrastructureError("The machine failed while judging, so there is no verdict: try again.")


@app.command()
def run(
    model: Annotated[str, typer.Option("--model", "-M", help="The model back end: replay.")] = "",
    model_args: Annotated[
        str, typer.Option("--model-args", "-a", help="For replay: path=FILE[,model=GLOB][,method=GLOB].")
    ] = "",
    task_names: Annotated[str, typer.Option("--tasks", "-t", help="Names or globs, separated by commas.")] = "",
    limit: Annotated[
        float | None,
        typer.Option("--limit", "-L", help="Only the first N problems of a task, or a fraction."),
    ] = None,
    output_path: Annotated[
        Path | None, typer.Option("--output-path", "-o", help="The run folder; running again goes on in it.")
    ] = None,
    metadata: Annotated[str, typer.Option(help='JSON settings, such as {"samples_per_problem": 10}.')] = "",
    seed: Annotated[int, typer.Option(help="The run's seed.")] = 0,
    data_dir: DataDir = None,
    matcher: Matcher = "tokens",
    time_factor: TimeFactor = 1.0,
    interpreter: Interpreter = "",
    workers: Annotated[int, typer.Option(help="Dialogues at a time; default: the usable cores.")] = 0,
    unsafe_reference_executor: AllowReference = False,
    skip_broken_rows: SkipBroken = False,
) -> None:
    """Ask a model, judge its programs, score: from tasks to a table."""
    from turnwise.commands.run import RunRequest, run_command
    from turnwise.runners.main_job import RunSettings

    for option, given in (("--model", model), ("--tasks", task_names), ("--output_path", output_path)):
        if not given:
            raise TurnwiseError(f"turnwise run needs {option}; turnwise demo runs the bundled sample without it.")
    settings = RunSettings(
        seed=seed,
        matcher=matcher,
        time_factor=time_factor,
        limit=limit,
        on_error="skip" if skip_broken_rows else "raise",
    )
    request = RunRequest(
        model,
        model_args,
        task_names,
        output_path or Path(),
        data_dir,
        settings,
        metadata,
        interpreter,
        workers,
        unsafe_reference_executor,
    )
    _print(run_command(request, environ=dict(os.environ), arguments=sys.argv[1:]))


@app.command()
def demo(
    output: Annotated[Path, typer.Option("--output-path", "-o", help="Where the results go.")] = Path("demo"),
) -> None:
    """Run three recorded models over the bundled sample: no data, no model, no GPU needed."""
    from turnwise.commands.run import demo_command

    _print(demo_command(output, environ=dict(os.environ)))


def _print(text: str) -> None:
    print(text.rstrip("\n"), flush=True)


def _with_dashes(argument: str) -> str:
    """Return ``--model_args=x_y`` as ``--model-args=x_y``: names with dashes and underscores are alike."""
    name, sign, value = argument.partition("=")
    return name.replace("_", "-") + sign + value if name.startswith("--") else argument


class _InterruptedError(BaseException):
    """The user, or the cluster, wants this process to stop (typer would swallow a KeyboardInterrupt unsaid)."""


def _interrupt(*_: object) -> None:
    raise _InterruptedError


def main() -> None:
    """Run the command line and end the process with its exit status; SIGTERM stops it as Ctrl-C does."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        app(args=list(map(_with_dashes, sys.argv[1:])), prog_name="turnwise")
    except TurnwiseError as error:
        print(f"turnwise: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(141)
        print(f"turnwise: {error.strerror or error}: {str(error.filename or 'a file')!r}.", file=sys.stderr)
        sys.exit(2)
    except _InterruptedError:
        print("turnwise: interrupted; run the same line again to go on.", file=sys.stderr)
        sys.exit(130)
