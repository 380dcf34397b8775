"""The commands of training: rft-data, rft and rlef."""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from turnwise.cli.parameters import say, takes
from turnwise.commands.options import Runs
from turnwise.commands.training_options import DataOptions, RftJobOptions, RlefJobOptions
from turnwise.errors import InfrastructureError, TurnwiseError

if TYPE_CHECKING:
    from turnwise.commands.trained import Trained
    from turnwise.commands.trainings import FrozenTraining


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
    from turnwise.commands.rft import rft_command

    train = partial(rft_command, data, options, environ=dict(os.environ), arguments=sys.argv[1:])
    if _is_beside():
        _train_beside(train)
    from turnwise.commands.trainings import RftTraining

    _submit_or_train(lambda line: RftTraining(options, line, data), options, train)


def _is_beside() -> bool:
    """Return whether this is one of several processes of a training (accelerate launch), and not the main one."""
    from turnwise.training.processes import rank_of

    return bool(rank_of(os.environ))


def _train_beside(train: Callable[[], "Trained"]) -> NoReturn:
    """Be one of several processes of a training: the main one says what is to be said."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    try:
        status = train().status
    except InfrastructureError:  # of this process's own device
        raise
    except TurnwiseError as error:
        status = error.exit_status
    raise typer.Exit(status)


def _submit_or_train(
    frozen: Callable[[str], "FrozenTraining"],
    options: RftJobOptions | RlefJobOptions,
    train: Callable[[], "Trained"],
) -> None:
    """Train as a job where the options say so, else in this process."""
    from turnwise.commands.run import command_line
    from turnwise.commands.submit_training import check_no_job, submit_training_command

    if options.cluster is not None:
        say(submit_training_command(frozen(command_line(sys.argv[1:])), environ=dict(os.environ)))
        return
    check_no_job(options)
    trained = train()
    say(trained.text)
    raise typer.Exit(trained.status)


@takes(
    RlefJobOptions,
    helps={
        "model": "hf, which alone can be trained.",
        "model_args": "model=NAME_OR_FOLDER, and dtype, revision, tokenizer, trust_remote_code, device, system_role.",
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
    if options.engine is not None:
        from turnwise.commands.rlef_engine import engine_command

        say(engine_command(options, environ=dict(os.environ), arguments=sys.argv[1:]))
        return
    from turnwise.commands.rlef import rlef_command

    train = partial(rlef_command, options, environ=dict(os.environ), arguments=sys.argv[1:])
    if _is_beside():
        _train_beside(train)
    from turnwise.commands.trainings import RlefTraining

    _submit_or_train(lambda line: RlefTraining(options, line), options, train)
