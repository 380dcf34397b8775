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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: &a [x, x]\n" + "".join(f"k{n}: &b{n} [*b{n - 1}, *b{n - 1}]\n" for n in range(1, 40)), "undefined alias"),
        (
            "k0: &b0 [x, x]\n" + "".join(f"k{n}: &b{n} [*b{n - 1}, *b{n - 1}]\n" for n in range(1, 40)),
            "its aliases make more than 100000 values of it",
        ),
        ("a: &a [*a]\n", "its aliases make more than 100000 values of it"),
        ("a: &a x\nb: [" + "*a, " * 101 + "]\n", "it has more than 100 aliases"),
        ("a: " + "9" * 5000 + "\n", "it has a number of 5000 digits"),
        ("a: " + ":".join(["1"] * 100_000) + "\n", "digits"),
        ("a: '" + "x" * 2**21 + "'\n", "it is larger than 1 MiB"),
        ("a: !!python/object/apply:os.system ['touch PWNED']\n", "could not determine a constructor"),
        ("a: !<" + "x" * 90_000 + "> b\n", "could not determine a constructor"),
        ("? [a, {b: c}]\n: d\n", "unhashable key"),
        ("a: !!int ''\n", "line 1: '' is no int"),
        ("a: !!float ''\n", "line 1: '' is no float"),
        ("a: !!bool maybe\n", "line 1: 'maybe' is no bool"),
        ("a:\n- !!timestamp tomorrow\n", "line 2: 'tomorrow' is no timestamp"),
        ("a: 2001-99-99\n", "month must be in 1..12"),
    ],
)
def test_hostile_yaml_is_one_bounded_sentence(tmp_path: Path, content: str, said: str) -> None:
    """Aliases that multiply, numbers and texts without end, objects of Python's own."""
    path = tmp_path / "file.yaml"
    path.write_text(content)
    with pytest.raises(TurnwiseError) as raised:
        read_mapping(path, "The file", otherwise="is none", remedy="write one")
    message = str(raised.value)
    assert said in message and len(message) < 600 and "\n" not in message
    assert not (tmp_path / "PWNED").exists()


def test_anchors_and_merges_are_read(tmp_path: Path) -> None:
    """In their usual number."""
    (tmp_path / "file.yaml").write_text("base: &base {cpus: 8}\njudge: {<<: *base, gpus: 1}\nclose: *base\n")
    found = read_mapping(tmp_path / "file.yaml", "The file", otherwise="is none", remedy="write one")
    assert found["judge"] == {"cpus": 8, "gpus": 1} and found["close"] == {"cpus": 8}
