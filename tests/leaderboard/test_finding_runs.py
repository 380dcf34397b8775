"""Every command finds runs alike: run folders, folders of them, deeper ones and globs; what is none is named once."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from turnwise.commands.compare import compare_command
from turnwise.commands.exchange import export_command
from turnwise.commands.noise import noise_command
from turnwise.commands.plot import plot_command
from turnwise.commands.publish import publish_command
from turnwise.commands.score import score_command
from turnwise.errors import TurnwiseError
from turnwise.exchange.runs import find_all, find_runs


@pytest.fixture
def experiments(tmp_path: Path, small_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """g/ with runs a and deep/er/b, beside notes and a folder that holds no run; commands run beside it."""
    monkeypatch.chdir(tmp_path)
    small_run("g/a", model="first")
    small_run("g/deep/er/b", model="second")
    (tmp_path / "g" / "broken" / "trajectories" / "t").mkdir(parents=True)
    (tmp_path / "g" / "notes.txt").write_text("mine")
    return Path("g")


COMMANDS: dict[str, Callable[[list[Path]], object]] = {
    "score": score_command,
    "publish": lambda paths: publish_command(paths, Path("page"), environ={}),
    "compare": compare_command,
    "plot": lambda paths: plot_command(paths, Path("plot.json")),
    "export": lambda paths: export_command(paths, "csv", Path("exported")),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_folders_globs_and_deeper_folders(
    experiments: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """What holds no run is left out with one line on stderr, and the outcome is that of the runs by name."""
    del experiments
    command = COMMANDS[name]
    by_name = command([Path("g/a"), Path("g/deep/er/b")])
    assert "Left out" not in capfd.readouterr().err
    for paths, left_out in ((["g"], "g/broken"), (["g/*"], "g/broken, g/notes.txt"), (["g/**", "g"], "g/broken")):
        for written in Path("exported").glob("*"):
            written.unlink()
        found = command([Path(path) for path in paths])
        if name != "score":
            assert found == by_name
        (line,) = [one for one in capfd.readouterr().err.splitlines() if "Left out" in one]
        assert line.startswith(f"Left out, since they are no runs and hold none: {left_out}")


def test_scores_of_a_folder_do_not_hide_its_runs(experiments: Path) -> None:
    """``turnwise score g; turnwise publish g/*``: tables/ and scores.json, which scoring wrote, are no runs."""
    score_command([experiments])
    score_command([experiments])
    publish = ["publish", *map(str, sorted(experiments.iterdir())), "-o", "page"]
    done = subprocess.run([sys.executable, "-m", "turnwise", *publish], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "g/scores.json" in done.stderr and "g/tables" in done.stderr
    tasks = json.loads((experiments / "scores.json").read_text())["tasks"]
    assert [one["run"] for one in tasks] == ["a", "b"]
    assert all((experiments / run / "scores.json").is_file() for run in ("a", "deep/er/b"))


def test_several_runs_are_exported_into_a_folder(experiments: Path) -> None:
    """A file each, called as the run is, with what tells equal names apart."""
    export_command([experiments], "csv", Path("out"))
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.csv", "b.csv"]
    (experiments / "deep" / "er" / "b").rename(experiments / "deep" / "a")
    export_command([experiments], "csv", Path("again"))
    assert sorted(path.name for path in Path("again").iterdir()) == ["deep-a.csv", "g-a.csv"]
    with Path("again/g-a.csv").open() as file:
        assert next(csv.DictReader(file))["model"] == "first"


def test_a_path_that_is_not_there_is_an_error_beside_runs(experiments: Path) -> None:
    """A slip of the keyboard must not leave a run out; neither must a glob that fits nothing."""
    for path, words in (("g/c", "'g/c' is no run folder and holds none: "), ("h/*", "'h/*' fits no file or folder: ")):
        with pytest.raises(TurnwiseError) as caught:
            find_all([experiments, Path(path)])
        assert str(caught.value).startswith(words)
    with pytest.raises(TurnwiseError, match="'g/broken' is no run folder and holds none: "):
        find_all([Path("g/broken"), Path("g/notes.txt")])
    Path("t").mkdir()
    Path("t/rlef.json").write_text("{}")
    with pytest.raises(TurnwiseError, match=r"'t' holds a .* that was not evaluated: give turnwise rlef --evaluate"):
        find_all([Path("t")])


def test_links_below_a_folder_are_left_out_and_one_by_name_is_taken(experiments: Path) -> None:
    """A folder of others may point anywhere; what the user names is the user's."""
    (experiments / "link").symlink_to("deep/er/b")
    found = find_all([experiments])
    assert found.runs == [Path("g/a"), Path("g/deep/er/b")] and Path("g/link") in found.left_out
    assert find_runs(experiments / "link") == [Path("g/link")]


def test_a_run_twice_by_name_is_compared_with_itself(experiments: Path) -> None:
    """And counts once where a folder holds it, too."""
    assert find_all([experiments / "a", experiments / "a"]).runs == [Path("g/a"), Path("g/a")]
    assert find_all([experiments / "a", experiments]).runs == [Path("g/a"), Path("g/deep/er/b")]


def test_noise_names_what_it_left_out(experiments: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """As the other commands do."""
    noise_command(experiments, None)
    assert capfd.readouterr().err.count("Left out") == 1


def test_a_comparison_names_the_settings_that_differ(small_run: Callable[..., Path]) -> None:
    """Task, setting and both values; equal settings are not named."""
    a = small_run("a", tasks={"t": 3})
    b = small_run("b", tasks={"t": 3}, settings={"seed": 7, "feedback": "binary"})
    said = compare_command([a, b])
    assert 't: feedback is "failed_tests" in A, "binary" in B.' in said and "t: seed is 0 in A, 7 in B." in said
    assert " in A, " not in compare_command([a, a])
    assert "t: seed is 0 in A, 7 in B." in json.loads(compare_command([a, b], as_json=True))["notes"]
