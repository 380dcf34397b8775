"""Files written whole: nothing half-written stays, and an error names its file."""

from pathlib import Path

import pytest

from turnwise.files import write_atomically, write_synced


def test_what_cannot_be_written_leaves_no_temporary_file(tmp_path: Path) -> None:
    """A folder stands where the file should."""
    (tmp_path / "scores.json" / "x").mkdir(parents=True)
    with pytest.raises(OSError, match=r"scores\.json"):
        write_atomically(tmp_path / "scores.json", "{}")
    assert [path.name for path in tmp_path.iterdir()] == ["scores.json"]


def test_a_full_disk_is_told_with_the_file() -> None:
    """The system names it only where a file is opened."""
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        write_synced(Path("/dev/full"), b"x")
