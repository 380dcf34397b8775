"""``turnwise rlef --engine``: plan a training as ``turnwise rlef`` does, and write what an engine needs of it."""

from collections.abc import Sequence

from turnwise.commands.engine_files import ENGINE, sources_of, write_engine
from turnwise.commands.rlef import dialogue_lines, open_training
from turnwise.commands.run import command_line
from turnwise.commands.training_options import RlefJobOptions
from turnwise.errors import TurnwiseError
from turnwise.records.rlef import read_rlef
from turnwise.training.problems import TrainingProblems


def engine_command(options: RlefJobOptions, *, environ: dict[str, str], arguments: Sequence[str] = ()) -> str:
    """Write OUT/engine for the engine that options name, and return what to print; with --dry-run nothing is written.

    Raises TurnwiseError for what the user got wrong, or for what the engine cannot do.
    """
    if options.engine is None:
        raise TurnwiseError("turnwise rlef writes an engine's files with --engine skyrl or verl.")
    if options.cluster is not None:
        raise TurnwiseError(
            f"--cluster is about the job of the reference trainer, and --engine {options.engine} writes the script of "
            "its own: leave it out."
        )
    if options.track:
        raise TurnwiseError(
            f"--track is about the reference trainer, and --engine {options.engine} has trackers of its own: give them "
            "to its train.py as name=value."
        )
    with open_training(options, command=command_line(arguments), environ=environ, is_here=False) as (plan, _):
        training, folder = plan.training, plan.output / ENGINE
        begun = read_rlef(folder) if (folder / "checkpoints").is_dir() else None
        if begun is not None:
            plan.check_goes_on(begun, folder)
        problems = TrainingProblems(training.tasks, training.dialogues, training.prompts, training.decoys)
        text = write_engine(
            options.engine.value,
            plan.record,
            problems,
            output=plan.output,
            sources=sources_of(options),
            profile=options.cluster_profile,
            dry_run=options.dry_run,
        )
        return "\n".join([*dialogue_lines(plan), text])
