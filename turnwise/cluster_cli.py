"""The commands for runs on many nodes: submit with all options of run, status, collect, cancel, resume, and worker."""

import inspect
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A folder that turnwise submit wrote.")]
Cluster = Annotated[str, typer.Option(help="Where the workers run: slurm, local (a pool here) or debug (one, here).")]
Profile = Annotated[
    Path | None,
    typer.Option("--cluster-profile", "-p", help="A yaml file about the cluster's jobs (docs/slurm.md)."),
]
Force = Annotated[bool, typer.Option(help="Submit though jobs of this run are still there.")]
# What makes no sense where no model is at hand.
_LEFT_OUT = ("predict_only", "calibrate", "throughput", "gpus")


def add_commands(app: typer.Typer, run: Callable[..., None]) -> None:
    """Add the commands to ``app``; ``run`` has the options that submit takes, and calls what is in the context."""

    def submit(
        context: typer.Context,
        cluster: Cluster = "slurm",
        cluster_profile: Profile = None,
        force: Force = False,
        **options: Any,
    ) -> None:
        """Carry out a run on a cluster: freeze it, submit samplers, judges and a closing job."""
        from turnwise.commands.cluster_dry_run import ClusterOptions
        from turnwise.commands.submit import submit_command
        from turnwise.slurm.profile import read_profile

        context.obj = partial(submit_command, options=ClusterOptions(cluster, read_profile(cluster_profile), force))
        run(context, **options)

    _take_options_of(run, submit)
    app.command("submit")(submit)
    for name, command in (("status", status), ("collect", collect), ("cancel", cancel), ("resume", resume)):
        app.command(name)(command)
    app.command("worker", hidden=True)(worker)


def status(
    run: Run,
    watch: Annotated[bool, typer.Option(help="Say it every minute until no job is left.")] = False,
) -> None:
    """Say how far a submitted run is: shards, rate, time left, GPU-hours, what went wrong."""
    from turnwise.commands.status import status_command, watch_status

    if watch:
        watch_status(run, partial(print, flush=True))
    else:
        print(status_command(run), flush=True)


def cancel(run: Run) -> None:
    """Cancel the jobs of a run; what it has stays."""
    from turnwise.commands.status import cancel_command

    print(cancel_command(run), flush=True)


def resume(
    run: Run,
    cluster: Annotated[str, typer.Option(help="Where the workers run; default: as before.")] = "",
    cluster_profile: Profile = None,
    exclude: Annotated[str, typer.Option(help="Nodes to leave out, such as node3,node7.")] = "",
    force: Force = False,
) -> None:
    """Submit what a run lacks, with its options and profile, or with another profile."""
    from turnwise.commands.submit import resume_command
    from turnwise.slurm.profile import read_profile

    profile = read_profile(cluster_profile) if cluster_profile is not None else None
    said = resume_command(run, cluster=cluster, profile=profile, exclude=exclude, force=force, environ=dict(os.environ))
    print(said, flush=True)


def collect(run: Run) -> None:
    """Check, merge and score what the workers of a run wrote, and say what is missing."""
    from turnwise.commands.collect import collect_command

    print(collect_command(run, environ=dict(os.environ)), flush=True)


def worker(
    run: Run,
    submission: Annotated[int, typer.Option()],
    step: Annotated[str, typer.Option()],
    slot: Annotated[int, typer.Option()],
) -> None:
    """Take shards of a submission until none is left; started by its jobs."""
    from turnwise.slurm.stop import StopFlag, block_signals

    block_signals()
    stop = StopFlag()
    from turnwise.commands.worker import work_on

    raise typer.Exit(work_on(run, submission, step, slot, stop=stop, environ=dict(os.environ)))


def _take_options_of(run: Callable[..., None], command: Callable[..., None]) -> None:
    """Give ``command`` the parameters of ``run``, in place of its ``**options``."""
    own = [one for one in inspect.signature(command).parameters.values() if one.kind is not one.VAR_KEYWORD]
    names = {one.name for one in own}
    more = [
        one for one in inspect.signature(run).parameters.values() if one.name not in names and one.name not in _LEFT_OUT
    ]
    command.__signature__ = inspect.Signature([own[0], *more, *own[1:]])  # type: ignore[attr-defined]
    command.__annotations__ = {**run.__annotations__, **command.__annotations__}
