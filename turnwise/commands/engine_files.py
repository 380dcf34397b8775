"""``turnwise rlef --engine``: writes what another project's trainer needs, in place of training here."""

from pathlib import Path

from turnwise.commands.options import DialogueOptions
from turnwise.files import inside, write_atomically
from turnwise.records.rlef import RlefRecord
from turnwise.slurm.profile import ClusterProfile, read_profile
from turnwise.training.engines.configuration import Nodes
from turnwise.training.engines.environments import Sources
from turnwise.training.engines.files import JOB, README, engine_files
from turnwise.training.engines.versions import RELEASES
from turnwise.training.problems import TrainingProblems

ENGINE = "engine"


def write_engine(
    engine: str,
    record: RlefRecord,
    problems: TrainingProblems,
    *,
    output: Path,
    sources: Sources,
    profile: Path | None,
    dry_run: bool = False,
) -> str:
    """Write the files of ``engine`` to OUT/engine, unless it is a dry run, and return what to print.

    Raises TurnwiseError for what the engine cannot do, or a cluster profile that cannot be read.
    """
    folder = (output / ENGINE).absolute()
    nodes = nodes_of(read_profile(profile)) if profile is not None else Nodes()
    files = engine_files(engine, record, problems, folder=folder, sources=sources, nodes=nodes)
    if not dry_run:
        for name, text in files.items():
            write_atomically(inside(folder, name), text)
    rows = files["problems.jsonl"].count("\n")
    return "\n".join(
        [
            f"{'Would write' if dry_run else 'Wrote'} {', '.join(sorted(files))} to {folder}: {rows} problems, "
            f"{nodes.nodes} node(s) of {nodes.gpus} GPUs and {nodes.cpus} cores.",
            "Nothing is run here, and the engine's loop was never run by turnwise (docs/engines.md).",
            *(f"Needs: {release.install}" for release in RELEASES[engine]),
            "Next: the same line without --dry-run."
            if dry_run
            else f"Next: sbatch {folder / JOB}, or see {folder / README}.",
        ]
    )


def sources_of(options: DialogueOptions) -> Sources:
    """Return where the options say that data and prompts are, by paths that mean the same in a job."""
    benchmark = options.benchmark
    return Sources(
        data_dir=_absolute(options.data_dir),
        prompts=_absolute(options.prompts),
        incorrect_programs=_absolute(options.incorrect_programs),
        benchmark=str(Path(benchmark).absolute()) if benchmark and Path(benchmark).exists() else benchmark,
        interpreter=options.interpreter,
        workers=options.workers,
    )


def nodes_of(profile: ClusterProfile) -> Nodes:
    """Return the nodes of a cluster profile: as many as its workers, each with its GPUs, cores and memory."""
    return Nodes(
        nodes=profile.workers,
        gpus=profile.gpus,
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
        python=" ".join(filter(None, (profile.container, profile.python or "python3"))),
    )


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()
