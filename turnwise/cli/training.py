"""The commands of training: rft-data, rft and rlef."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from turnwise.cli.parameters import say, takes
from turnwise.commands.options import DataOptions, RftJobOptions, RftOptions, RlefJobOptions, Runs
from turnwise.errors import InfrastructureError, TurnwiseError


@takes(DataOptions, has_config=True)
def rft_data(runs: Runs, options: DataOptions) -> None:
    """Make training data of what runs solved: near copies, test problems and reasoning prompts taken out."""
    from turnwise.commands.rft_data import rft_data_command

    say(rft_data_command(runs, options, environ=dict(os.environ), arguments=sys.argv[1:]))


@takes(RftJobOptions, has_config=True)
def rft(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of training data (turnwise rft-data).")],
    options: RftJobOptions,
) -> None:
    """Fine-tune a model on training data; the same line goes on from its last checkpoint."""
    from turnwise.training.fine_tuning.processes import rank_of

    if rank_of(os.environ):
        _train_beside(data, options)
        return
    from turnwise.commands.submit_training import FrozenTraining, check_no_job, submit_training_command

    if options.cluster is not None:
        from turnwise.commands.run import command_line

        training = FrozenTraining(data, options, command_line(sys.argv[1:]))
        say(submit_training_command(training, environ=dict(os.environ)))
        return
    check_no_job(options)
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


@takes(
    RlefJobOptions,
    helps={
        "model": "hf, which alone can be trained.",
        "model_args": "model=NAME_OR_FOLDER, and dtype, revision, tokenizer, trust_remote_code, device.",
        "tasks": "Training tasks by their full names, such as codecontests_train_multiturn.",
        "output_path": "The folder to write; the same line goes on in it.",
        "metadata": "JSON settings of the dialogues, as for turnwise run, such as '{\"max_turns\": 1}'.",
        "gen_kwargs": "Sampling of the dialogues: max_gen_toks and until; the temperature is 1.",
        "seed": "Of the order of the problems, the dialogues, the value's head and adapters; default: 0.",
        "matcher": "How outputs are compared: tokens, exact or deepmind; default: tokens.",
        "time_factor": "Multiplies every time limit; recorded.",
    },
    has_config=True,
)
def rlef(options: RlefJobOptions) -> None:
    """Train a model by its own dialogues, rewarded for programs that pass all tests; the same line goes on."""
    from turnwise.commands.rlef import rlef_command
    from turnwise.training.fine_tuning.processes import rank_of

    if rank_of(os.environ):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        try:
            status = rlef_command(options, environ=dict(os.environ), arguments=sys.argv[1:]).status
        except InfrastructureError:  # of this process's own device
            raise
        except TurnwiseError as error:
            status = error.exit_status
        raise typer.Exit(status)
    trained = rlef_command(options, environ=dict(os.environ), arguments=sys.argv[1:])
    say(trained.text)
    raise typer.Exit(trained.status)
