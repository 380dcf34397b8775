"""A submission that was damaged is named, with what is wrong in words, never by names of Python's."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from turnwise.errors import TurnwiseError
from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.submission import ClusterFolder, Submission, SubmissionRecord, freeze_submission


@pytest.fixture
def submission(tmp_path: Path) -> Submission:
    """A submission of no shards, read anew."""
    record = SubmissionRecord(options={}, profile=ClusterProfile(), code="0", folder="/", workers=1, submitted=0.0)
    frozen = freeze_submission(ClusterFolder(tmp_path), record, [])
    return Submission(frozen.cluster, frozen.number)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text[:20], "it is cut off or no JSON"),
        (
            lambda text: text.replace('"submitted":0.0', '"submitted":"late"'),
            "submitted: input should be a valid number",
        ),
    ],
)
def test_a_damaged_submission_is_named(submission: Submission, damage: Callable[[str], str], reason: str) -> None:
    """Torn, or with a word for a number."""
    path = submission.path / "submission.json"
    path.write_text(damage(json.dumps(json.loads(path.read_text()), separators=(",", ":"))))
    with pytest.raises(TurnwiseError) as said:
        _ = submission.record
    assert str(said.value).startswith(f"The submission '{path}' cannot be read ({reason}"), str(said.value)
    assert "submit the run again" in str(said.value)


def test_a_damaged_list_of_jobs_is_named(submission: Submission) -> None:
    """With what to do, since another submission reads it too."""
    (submission.path / "jobs.json").write_text('{"sample": [')
    with pytest.raises(TurnwiseError, match=r"\(it is cut off or no JSON\): remove it once squeue shows none"):
        _ = submission.jobs


@pytest.mark.parametrize(
    "path", ["../0/data", "0/..", "0/.", "0/", "0", "0/a/b", "0/\0", "/etc/passwd", "0/link", "0/pipe"]
)
def test_a_copy_lies_in_its_folder(submission: Submission, path: str) -> None:
    """Under whatever name the user gave what was copied; nothing outside is taken for one."""
    inputs = submission.cluster.inputs
    (inputs / "0").mkdir(parents=True)
    (inputs / "0" / "link").symlink_to("/etc/passwd")
    os.mkfifo(inputs / "0" / "pipe")

    def named(name: str) -> Submission:
        record = replace(submission.record, inputs={"data": name})
        frozen = freeze_submission(submission.cluster, record, [])
        return Submission(frozen.cluster, frozen.number)

    assert named("0/my däta (1)").inputs() == {"data": inputs / "0" / "my däta (1)"}
    with pytest.raises(TurnwiseError):
        named(path).inputs()
