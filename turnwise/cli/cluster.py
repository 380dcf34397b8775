"""The commands for runs on many nodes: submit with the options of run, status, collect, cancel, resume, and worker."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from turnwise.cli.output import say
from turnwise.cli.parameters import takes
from turnwise.cli.run_options import RunOptions

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A folder that turnwise submit wrote.")]
ClusterProfile = Annotated[
    Path | None,
    typer.Option("--cluster-profile", "-p", help="A yaml file about the cluster's jobs (docs/slurm.md)."),
]
Force = Annotated[bool, typer.Option(help="Submit though jobs of this run are still there.")]


# Without what makes no sense where no model is at hand.
@takes(RunOptions, without=("predict_only", "calibrate", "throughput", "gpus"))
def submit(
    context: typer.Context,
    options: RunOptions,
    cluster: Annotated[
        str, typer.Option(help="Where the workers run: slurm, local (a pool here) or debug (one, here).")
    ] = "slurm",
    cluster_profile: ClusterProfile = None,
    force: Force = False,
) -> None:
    """Carry out a run on a cluster: freeze it, submit samplers, judges and a closing job."""
    from turnwise.cli.requests import run_request
    from turnwise.commands.cluster_dry_run import ClusterOptions
    from turnwise.commands.submit import submit_command
    from turnwise.slurm.profile import read_profile

    of_cluster = ClusterOptions(cluster, read_profile(cluster_profile), force)
    request = run_request(options, command=context.info_name)
    say(submit_command(request, options=of_cluster, environ=dict(os.environ), arguments=sys.argv[1:]))


def status(
    run: Run,
    watch: Annotated[bool, typer.Option(help="Say it every minute until no job is left.")] = False,
) -> None:
    """Say how far a submitted run is: shards, rate, time left, GPU-hours, what went wrong."""
    from turnwise.commands.status import status_command, watch_status

    if watch:
        watch_status(run, partial(print, flush=True))
    else:
        say(status_command(run))


def cancel(run: Run) -> None:
    """Cancel the jobs of a run; what it has stays."""
    from turnwise.commands.status import cancel_command

    say(cancel_command(run))


def resume(
    run: Run,
    cluster: Annotated[str, typer.Option(help="Where the workers run; default: as before.")] = "",
    cluster_profile: ClusterProfile = None,
    exclude: Annotated[str, typer.Option(help="Nodes to leave out, such as node3,node7.")] = "",
    force: Force = False,
) -> None:
    """Submit what a run lacks, with its options and profile, or with another profile."""
    from turnwise.commands.submit import resume_command
    from turnwise.slurm.profile import read_profile

    profile = read_profile(cluster_profile) if cluster_profile is not None else None
    said = resume_command(run, cluster=cluster, profile=profile, exclude=exclude, force=force, environ=dict(os.environ))
    say(said)


def collect(run: Run) -> None:
    """Check, merge and score what the workers of a run wrote, and say what is missing."""
    from turnwise.commands.collect import collect_command

    say(collect_command(run, environ=dict(os.environ)))


def worker(
    run: Run,
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
