"""A mapping in a yaml file is read, and whatever else the file may be is one sentence."""

from pathlib import Path

import pytest

from turnwise.benchmarks.mappings import read_mapping
from turnwise.errors import TurnwiseError


def test_a_mapping_is_read(tmp_path: Path) -> None:
    """With keys and values as yaml has them."""
    (tmp_path / "file.yaml").write_text("a: 1\n2: [b]\n")
    assert read_mapping(tmp_path / "file.yaml", "The file", otherwise="is none", remedy="write one") == {
        "a": 1,
        2: ["b"],
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"a: [", "is no yaml (line 1: expected the node content, but found '<stream end>')"),
        (b"\xff", "is no yaml (it is not UTF-8)"),
        (b"[" * 100_000, "is no yaml (it is nested too deeply)"),
        (b"- a", "is none"),
        (b"", "is none"),
    ],
    ids=["missing", "broken", "bytes", "deep", "list", "empty"],
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    """The file is named, and why it cannot be used."""
    path = tmp_path / "file.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TurnwiseError) as raised:
        read_mapping(path, "The file", otherwise="is none", remedy="write one")
    assert str(raised.value) == f"The file {str(path)!r} {said}: write one."
