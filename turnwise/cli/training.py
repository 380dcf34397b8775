"""The commands of training: rft."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from turnwise.cli.parameters import say, takes
from turnwise.commands.options import RftOptions
from turnwise.errors import InfrastructureError, TurnwiseError


@takes(RftOptions, has_config=True)
def rft(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of training data (turnwise rft-data).")],
    options: RftOptions,
) -> None:
    """Fine-tune a model on training data; the same line goes on from its last checkpoint."""
    if int(os.environ.get("RANK", "0") or 0):
        _train_beside(data, options)
        return
    from turnwise.commands.rft import rft_command

    trained = rft_command(data, options, environ=dict(os.environ), arguments=sys.argv[1:])
    say(trained.text)
    raise typer.Exit(trained.status)


def _train_beside(data: Path, options: RftOptions) -> None:
    """Be one of several processes of a training (accelerate launch): the main one says what is to be said."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    from turnwise.commands.rft import rft_command

    try:
        status = rft_command(data, options, environ=dict(os.environ), arguments=sys.argv[1:]).status
    except InfrastructureError:  # of this process's own device
        raise
    except TurnwiseError as error:
        status = error.exit_status
    raise typer.Exit(status)
