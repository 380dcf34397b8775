"""The commands of training: rft-data."""

import os
import sys

from turnwise.cli.parameters import say, takes
from turnwise.commands.options import DataOptions, Runs


@takes(DataOptions, has_config=True)
def rft_data(runs: Runs, options: DataOptions) -> None:
    """Make training data of what runs solved: near copies, test problems and reasoning prompts taken out."""
    from turnwise.commands.rft_data import rft_data_command

    say(rft_data_command(runs, options, environ=dict(os.environ), arguments=sys.argv[1:]))
