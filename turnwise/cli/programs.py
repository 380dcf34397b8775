"""The commands about programs and the machine that judges them: check and doctor."""

import os
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from turnwise.cli.options import AsJson, Benchmark, DataDir, Interpreter, SkipBroken, Workers
from turnwise.cli.output import say
from turnwise.errors import InfrastructureError
from turnwise.json_text import json_text


def check(
    program: Annotated[Path, typer.Argument(help="The file with the program to judge.")],
    problem: Annotated[str, typer.Option(help="A problem's id, such as codecontests/1575_B. ...")] = "",
    tests: Annotated[
        Path | None, typer.Option(help='JSON: {"public": [{"input", "output"}], "hidden": [...], limits}.')
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the problem's benchmark; default: test.")] = "",
    data_dir: DataDir = None,
    benchmark: Benchmark = "",
    matcher: Annotated[str, typer.Option(help="How outputs are compared: tokens, exact or deepmind.")] = "tokens",
    time_factor: Annotated[float, typer.Option(help="Multiplies every time limit; recorded.")] = 1.0,
    interpreter: Interpreter = "",
    skip_broken_rows: SkipBroken = False,
    as_json: AsJson = False,
) -> None:
    """Judge one program and explain each public test; hidden tests show as verdicts only."""
    from turnwise.commands.check import CheckRequest, check_document, check_program, render_check
    from turnwise.records.report import Verdict
    from turnwise.runners.execution.hardened import HardenedExecutor

    request = CheckRequest(
        program,
        problem,
        tests,
        split,
        data_dir,
        matcher,
        time_factor,
        "skip" if skip_broken_rows else "raise",
        benchmark,
    )
    with closing(HardenedExecutor(interpreter)) as executor:
        result = check_program(request, executor, environ=dict(os.environ))
        short = executor.inherited.shortfalls(result.problem.limits)
    say(json_text(check_document(result), indent=1) if as_json else render_check(result))
    if result.report.verdict is Verdict.INFRASTRUCTURE_FAILURE:
        remedy = " ".join(["a limit is too low.", *map(str, short)]) if short else "try again."
        raise InfrastructureError(f"The machine failed while judging, so there is no verdict: {remedy}")


def doctor(
    interpreter: Interpreter = "",
    tier: Annotated[str, typer.Option(help="Look at this isolation tier (A, B or C) instead of the best.")] = "",
    workers: Workers = 0,
    as_json: AsJson = False,
) -> None:
    """Tell whether programs can be judged here, how well they are isolated, and what to change."""
    from turnwise.commands.doctor import diagnosis_document, render_diagnosis
    from turnwise.runners.diagnosis import diagnose

    found = diagnose(interpreter, tier=tier, workers=workers, environ=dict(os.environ))
    say(json_text(diagnosis_document(found), indent=1) if as_json else render_diagnosis(found))
    if not found.is_well:
        raise InfrastructureError("This machine does not judge programs as it should: see what is said above.")
