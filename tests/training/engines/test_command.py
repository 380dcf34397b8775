"""``turnwise rlef --engine`` writes an engine's files for a cluster profile, by paths that mean the same in a job."""

from pathlib import Path

import pytest
from engine_training import ToyTraining

from turnwise.commands.engine_files import nodes_of, sources_of, write_engine
from turnwise.commands.options import DialogueOptions
from turnwise.slurm.profile import ClusterProfile
from turnwise.training.engines.environments import Sources

PROFILE = """\
partition: gpu
workers: 2
gpus: 4
cpus: 48
memory_gb: 400
time_minutes: 600
container: apptainer exec --nv /images/engine.sif
environment: {HF_HOME: /shared/hf}
setup: [module load cuda]
extra: {exclude: node017}
"""


def test_files_are_written_whole_beside_the_training(toy: ToyTraining, tmp_path: Path) -> None:
    """With the nodes of the profile; a dry run says the same and writes nothing."""
    profile = tmp_path / "profile.yaml"
    profile.write_text(PROFILE)
    output = tmp_path / "out"
    for is_dry in (True, False):
        text = write_engine(
            "verl", toy.record, toy.problems, output=output, sources=toy.sources, profile=profile, dry_run=is_dry
        )
        assert text.startswith("Would write" if is_dry else "Wrote") and "54 problems, 2 node(s) of 4 GPUs" in text
        assert output.exists() is not is_dry
    assert sorted(path.name for path in (output / "engine").iterdir()) == [
        "README.md",
        "agents.yaml",
        "environment.json",
        "job.sbatch",
        "problems.jsonl",
        "rlef.json",
        "train.py",
        "verl.overrides",
    ]
    job = (output / "engine" / "job.sbatch").read_text()
    assert "#SBATCH --nodes=2\n" in job and "#SBATCH --exclude=node017\n" in job
    assert "\nmodule load cuda\nexport HF_HOME=/shared/hf\n" in job
    assert 'on "$head" apptainer exec --nv /images/engine.sif python3 train.py' in job


def test_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the name of an installed benchmark stays a name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_train.jsonl").write_text("")
    options = DialogueOptions(data_dir=Path("data"), benchmark="own_train.jsonl", workers=3)
    assert sources_of(options) == Sources(
        data_dir=tmp_path / "data", benchmark=str(tmp_path / "own_train.jsonl"), workers=3
    )
    assert sources_of(DialogueOptions(benchmark="installed")) == Sources(benchmark="installed")


def test_a_profile_of_defaults_has_a_node() -> None:
    """With Python as the shell finds it."""
    nodes = nodes_of(ClusterProfile())
    assert (nodes.nodes, nodes.gpus, nodes.cpus, nodes.python) == (1, 1, 8, "python3")
