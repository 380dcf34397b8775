"""``turnwise rlef --engine``: the files by which another project trains the same, written and not run."""

from collections.abc import Sequence
from pathlib import Path

from turnwise.commands.options import RlefJobOptions
from turnwise.commands.rlef import dialogue_lines, open_training
from turnwise.commands.run import command_line
from turnwise.errors import TurnwiseError
from turnwise.files import write_atomically
from turnwise.slurm.profile import ClusterProfile, read_profile
from turnwise.training.engines.configuration import Nodes
from turnwise.training.engines.environments import Sources
from turnwise.training.engines.files import README, engine_files
from turnwise.training.problems import TrainingProblems

FOLDER = "engine"


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
    nodes = None if options.cluster_profile is None else _nodes(read_profile(options.cluster_profile))
    with open_training(options, command=command_line(arguments), environ=environ, is_here=False) as (plan, _):
        training = plan.training
        folder = plan.output.absolute() / FOLDER
        files = engine_files(
            options.engine.value,
            plan.record,
            TrainingProblems(training.tasks, training.dialogues, training.prompts, training.decoys),
            folder=folder,
            sources=_sources(options),
            nodes=nodes,
        )
        lines = dialogue_lines(plan)
    if options.dry_run:
        return "\n".join([*lines, f"Nothing was written: {', '.join(files)} would be, in {folder}."])
    for name, text in files.items():
        write_atomically(folder / name, text)
    return "\n".join([*lines, f"Written: {', '.join(files)} in {folder}; next: read {README} there."])


def _sources(options: RlefJobOptions) -> Sources:
    benchmark = Path(options.benchmark)
    return Sources(
        data_dir=_absolute(options.data_dir),
        prompts=_absolute(options.prompts),
        incorrect_programs=_absolute(options.incorrect_programs),
        benchmark=str(benchmark.absolute()) if options.benchmark and benchmark.exists() else options.benchmark,
        interpreter=options.interpreter,
        workers=options.workers,
    )


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()


def _nodes(profile: ClusterProfile) -> Nodes:
    """Return the nodes that a cluster profile describes: each of its workers is one."""
    return Nodes(
        nodes=profile.workers,
        gpus=max(1, profile.gpus),
        cpus=profile.cpus,
        memory_gb=profile.memory_gb,
        time_minutes=profile.time_minutes,
        partition=profile.partition,
        account=profile.account,
        qos=profile.qos,
        gpu_type=profile.gpu_type,
        extra=dict(profile.extra),
        setup=profile.setup,
        environment=dict(profile.environment),
        python=profile.python or "python3",
    )
