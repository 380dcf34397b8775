"""The commands that make runs and judge them: run, sample, grid, judge, audit, verify, demo; on clusters submit etc."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from turnwise.cli.parameters import say, takes
from turnwise.commands.options import (
    AsJson,
    AuditOptions,
    ClusterProfileFile,
    Force,
    GridOptions,
    JudgeOptions,
    RunOptions,
    SubmitOptions,
)
from turnwise.commands.training_options import VerifyOptions
from turnwise.errors import TurnwiseError
from turnwise.json_text import json_text
from turnwise.records.choices import ClusterKind

Submitted = Annotated[Path, typer.Argument(metavar="RUN", help="A folder that turnwise submit wrote.")]


@takes(RunOptions, has_config=True)
def run(options: RunOptions) -> None:
    """Ask a model, judge its programs, score: from tasks to a table."""
    from turnwise.commands.run import run_command

    say(run_command(options, environ=dict(os.environ), arguments=sys.argv[1:]))


@takes(RunOptions, has_config=True)
def sample(options: RunOptions) -> None:
    """Ask a model, with feedback from the public tests; judging and scoring come later."""
    from turnwise.commands.run import sample_command

    say(sample_command(options, environ=dict(os.environ), arguments=sys.argv[1:]))


@takes(
    GridOptions,
    helps={
        "model": "The model back end, as for turnwise run.",
        "model_args": "As for turnwise run.",
        "output_path": "The experiment folder: a run folder for each cell.",
        "metadata": "JSON settings of all cells, as for turnwise run.",
        "gen_kwargs": "Sampling of all cells, as for turnwise run.",
        "prompts": "A folder of prompts in place of the bundled set.",
        "limit": "Only the first N problems of a task.",
        "samples": "JSON: which problems of a task.",
        "seed": "The seed of all cells; default: 0.",
    },
    has_config=True,
)
def grid(options: GridOptions) -> None:
    """Run many combinations of prompts, strategies and settings, a run folder each; the same line goes on."""
    from turnwise.commands.grid import grid_command

    say(grid_command(options, environ=dict(os.environ), arguments=sys.argv[1:]))


@takes(JudgeOptions)
def judge(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that turnwise sample or run wrote.")],
    options: JudgeOptions,
) -> None:
    """Judge the programs of a run that have no verdict yet; no model is asked."""
    from turnwise.commands.judge import judge_command

    say(judge_command(run_folder, options, environ=dict(os.environ)))


@takes(
    AuditOptions,
    helps={
        "answers": "Which outputs are right: equality (the expected one), checkers-1, or a folder of checkers "
        "(docs/checkers.md)."
    },
)
def audit(options: AuditOptions, as_json: AsJson = False) -> None:
    """Tell how far verdicts can be trusted: how the judge judges programs known to be right or wrong."""
    from turnwise.commands.audit import audit_command
    from turnwise.leaderboard.audits import audit_document, render_audit

    found = audit_command(options, environ=dict(os.environ))
    say(json_text(audit_document(found), indent=1) if as_json else render_audit(found))


@takes(
    VerifyOptions,
    helps={
        "answers": "Which outputs are right: equality (the expected one), checkers-1, or a folder of checkers "
        "(docs/checkers.md)."
    },
)
def verify(options: VerifyOptions, as_json: AsJson = False) -> None:
    """Judge the own solutions of training problems; runs over the task then ask those that are kept.

    A problem is kept if one of its solutions passes at least, and none of those judged gives a wrong answer. The same
    line goes on where it stopped; status 3 if the machine failed on a problem.
    """
    from turnwise.commands.verify import refuse_undecided, render_verification, verify_command
    from turnwise.records.codec import to_json

    found = verify_command(options, environ=dict(os.environ))
    say(json_text(to_json(found), indent=1) if as_json else render_verification(found))
    refuse_undecided(found)


def demo(
    output: Annotated[Path, typer.Option("--output-path", "-o", help="Where the results go.")] = Path("demo"),
) -> None:
    """Run three recorded models over the bundled sample: no data, no model, no GPU needed."""
    from turnwise.commands.demo import demo_command

    say(demo_command(output, environ=dict(os.environ)))


# Without what makes no sense where no model is at hand.
@takes(SubmitOptions, without=("predict_only", "calibrate", "throughput", "gpus"), has_config=True)
def submit(options: SubmitOptions) -> None:
    """Carry out a run on a cluster: freeze it, submit samplers, judges and a closing job."""
    from turnwise.commands.submit import submit_command

    say(submit_command(options, environ=dict(os.environ), arguments=sys.argv[1:]))


def status(
    run: Submitted,
    watch: Annotated[bool, typer.Option(help="Say it every minute until no job is left.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say how far a submitted run or training is: rate, time left, jobs, GPU-hours, what went wrong."""
    from turnwise.commands.status import status_command, status_document, watch_status

    if as_json and watch:
        raise TurnwiseError("--json is one document, and --watch says many: give one of them.")
    if as_json:
        say(json_text(status_document(run), indent=1))
    elif watch:
        watch_status(run, partial(print, flush=True))
    else:
        say(status_command(run))


def collect(run: Submitted) -> None:
    """Check, merge and score what the workers of a run wrote, and say what is missing."""
    from turnwise.commands.collect import collect_command

    say(collect_command(run, environ=dict(os.environ)))


def cancel(run: Submitted) -> None:
    """Cancel the jobs of a run; what it has stays."""
    from turnwise.commands.status import cancel_command

    say(cancel_command(run))


def resume(
    run: Submitted,
    cluster: Annotated[ClusterKind | None, typer.Option(help="Where the workers run; default: as before.")] = None,
    cluster_profile: ClusterProfileFile = None,
    exclude: Annotated[str, typer.Option(help="Nodes to leave out, such as node3,node7.")] = "",
    force: Force = False,
) -> None:
    """Submit what a run lacks, with its options and profile, or with another profile."""
    from turnwise.commands.submit import resume_command

    environ = dict(os.environ)
    said = resume_command(run, cluster=cluster, profile=cluster_profile, exclude=exclude, force=force, environ=environ)
    say(said)


def worker(
    run: Submitted,
    submission: Annotated[int, typer.Option()],
    step: Annotated[str, typer.Option()],
    slot: Annotated[int, typer.Option()],
) -> None:
    """Take shards of a submission until none is left; started by its jobs."""
    from turnwise.slurm.signals import StopFlag, block_signals

    block_signals()
    stop = StopFlag()
    from turnwise.commands.worker import work_on

    raise typer.Exit(work_on(run, submission, step, slot, stop=stop, environ=dict(os.environ)))
