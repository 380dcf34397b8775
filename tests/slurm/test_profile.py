"""Cluster profiles: what is wrong in one is said in a sentence; the documented examples can be read."""

from pathlib import Path

import pytest

from turnwise.errors import TurnwiseError
from turnwise.slurm.profile import read_profile

EXAMPLES = Path(__file__).resolve().parents[2] / "slurm" / "profiles"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("partition: gpu\nworkers: 2\n\tcpus: 8", "is no yaml (line 3: found character '\\t'"),
        ("partiton: gpu", "unknown field 'partiton'"),
        ("judge: {gpus: 1}", "unknown field 'judge.gpus'"),
        ("workers: 0", "workers 0"),
        ("time_minutes: soon", "time_minutes 'soon'"),
        ("- gpu", "holds no fields"),
        ("a: [", "is no yaml (line 1: expected the node content"),
        ("environment: {'A B': 1}", "environment"),
        ('partition: "gpu\\n#SBATCH --uid=0"', "partition"),
    ],
)
def test_a_bad_profile_is_refused_in_one_sentence(text: str, said: str, tmp_path: Path) -> None:
    """File, field and value are named."""
    path = tmp_path / "profile.yaml"
    path.write_text(text)
    with pytest.raises(TurnwiseError, match=r"profile\.yaml") as error:
        read_profile(path)
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["one-node", "many-nodes"])
def test_the_documented_examples_can_be_read(name: str) -> None:
    """Both say what they ask for."""
    profile = read_profile(EXAMPLES / f"{name}.yaml")
    assert profile.workers >= 1 and profile.partition
